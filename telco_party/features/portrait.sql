-- family portrait | Portrait | 画像
-- Tags over the variables of the other families. The cut-offs of finance_activity are the thirds of finance_days_3m among all subscribers
-- with a value: they depend on no label, and stand in the side file.

-- stage subscriber_tag by phone absent null | as the subscriber gave it | 以登记为准
-- One row a subscriber.
SELECT phone, 1 AS ago, birth_year, gender, region, package, date_sub('month', opened_on, as_of()) AS tenure FROM here;

-- stage tag by phone absent null | too little was seen | 所见过少
-- One row a subscriber, with the variables of the other families.
SELECT *, 1 AS ago FROM wide;

-- variable age of subscriber_tag | 年龄 | years | all
-- Years from the year of birth to the as-of date's.
-- 截止日年份减出生年份。
any_value(year(as_of()) - birth_year);

-- variable gender of subscriber_tag | 性别 | text | all
-- Gender as registered.
-- 登记性别。
any_value(gender);

-- variable region of subscriber_tag | 地区 | text | all
-- Region as registered.
-- 登记地区。
any_value(region);

-- variable package of subscriber_tag | 套餐 | text | all
-- Package at the as-of date.
-- 截止日套餐。
any_value(package);

-- variable stage of subscriber_tag | 在网阶段 | text | all
-- new below 6 months of tenure, growing below 24, settled from there.
-- 在网不足 6 个月为 new，不足 24 个月为 growing，其余为 settled。
any_value(CASE WHEN tenure < 6 THEN 'new' WHEN tenure < 24 THEN 'growing' ELSE 'settled' END);

-- variable benefit of tag | 偏好权益 | text | all
-- Of eat, play, online shopping and shopping, the scene of most days in three months (of equals the first named); missing below 5 such days.
-- 餐饮、娱乐、网购、购物中三个月内天数最多的场景（相等取前者）；四者天数合计不足 5 则缺失。
any_value(CASE
  WHEN eat_days_3m + play_days_3m + online_shopping_days_3m + shopping_days_3m < 5 OR eat_days_3m IS NULL THEN NULL
  WHEN eat_days_3m >= greatest(play_days_3m, online_shopping_days_3m, shopping_days_3m) THEN 'eat'
  WHEN play_days_3m >= greatest(online_shopping_days_3m, shopping_days_3m) THEN 'play'
  WHEN online_shopping_days_3m >= shopping_days_3m THEN 'online shopping'
  ELSE 'shopping' END);

-- variable finance_activity of tag | 金融活跃度 | text | all
-- low up to the first third of finance_days_3m among all subscribers, high above the second, middle between; missing without usage.
-- 金融活跃天数在全体用户的前三分之一分位及以下为 low，高于三分之二分位为 high，其间为 middle；无上网记录则缺失。
any_value(CASE WHEN finance_days_3m <= finance_low() THEN 'low' WHEN finance_days_3m <= finance_high() THEN 'middle'
  WHEN finance_days_3m IS NOT NULL THEN 'high' END);

-- variable area of tag | 生活圈类型 | text | all
-- Type of area of the home cell, of the work cell where no home is known.
-- 居住地区域类型；居住地未知时取工作地。
any_value(coalesce(home_area_3m, work_area_3m));
