-- family usage | Usage and scenes | 上网与场景
-- each scene: eat=餐饮, play=娱乐, online_shopping=网购, shopping=购物, travel=出行, finance=金融

-- stage use by person absent null | no usage record of the person in the window | 窗口内此人无上网记录
-- One row an event, of whichever identifier of the person.
SELECT person, ago, channel, category, seconds, kbytes, hour("at") >= 22 OR hour("at") < 6 AS night, isodow("at") >= 6 AS weekend
FROM known_usage;

-- stage use_day by person absent null | no usage record of the person in the window | 窗口内此人无上网记录
-- One row a day with an event, with the scenes of that day.
SELECT person, min(ago) AS ago, "at"::DATE AS day, list(DISTINCT category) AS categories
FROM known_usage GROUP BY person, "at"::DATE;

-- stage use_name by person absent null | no usage record of the person in the window | 窗口内此人无上网记录
-- One row an app or site that was used.
SELECT person, channel, name, min(ago) AS ago FROM known_usage WHERE ago <= 3 GROUP BY person, channel, name;

-- variable <scene>_events of use | <scene>行为次数 | events | 3
-- Events of the scene "<scene>".
-- <scene>场景的行为次数。
count(*) FILTER (in_window AND category = '<scene>');

-- variable <scene>_trend of use | <scene>行为趋势 | ratio | 3
-- Events of the scene "<scene>" in the newest month over the monthly mean of the window; missing too where the scene was not seen.
-- 最近一个月<scene>行为次数与窗口月均之比；未见该场景时亦缺失。
window_months * count(*) FILTER (ago = 1 AND category = '<scene>') / nullif(count(*) FILTER (in_window AND category = '<scene>'), 0);

-- variable <scene>_days of use_day | <scene>活跃天数 | days | 3
-- Days with an event of the scene "<scene>".
-- 有<scene>行为的天数。
count(*) FILTER (in_window AND list_contains(categories, '<scene>'));

-- variable usage_events of use | 上网行为次数 | events | 1 3 6
-- Events of all categories.
-- 各类行为次数合计。
count(*) FILTER (in_window);

-- variable usage_trend of use | 上网趋势 | ratio | 3
-- Events of the newest month over the monthly mean of the window: 1 is steady.
-- 最近一个月的行为次数与窗口月均之比，1 为持平。
window_months * count(*) FILTER (ago = 1) / count(*) FILTER (in_window);

-- variable usage_minutes of use | 上网分钟数 | minutes | 3
-- Minutes of use.
-- 使用时长合计。
sum(seconds) FILTER (in_window) / 60;

-- variable usage_megabytes of use | 上网流量 | MB | 1 3
-- Data volume of the events (1 MB = 1024 kB).
-- 行为产生的流量（1 MB = 1024 kB）。
sum(kbytes) FILTER (in_window) / 1024;

-- variable usage_night_share of use | 夜间上网占比 | share | 3
-- Share of events from 22:00 to 06:00.
-- 22 点至次日 6 点的行为所占比例。
avg(night::INTEGER) FILTER (in_window);

-- variable usage_weekend_share of use | 周末上网占比 | share | 3
-- Share of events on a Saturday or Sunday.
-- 周六、周日的行为所占比例。
avg(weekend::INTEGER) FILTER (in_window);

-- variable searches of use | 搜索次数 | events | 3
-- Searches.
-- 关键词搜索次数。
count(*) FILTER (in_window AND channel = 'search');

-- variable finance_searches of use | 金融搜索次数 | events | 3
-- Searches in finance.
-- 金融类关键词搜索次数。
count(*) FILTER (in_window AND channel = 'search' AND category = 'finance');

-- variable site_share of use | 网站占比 | share | 3
-- Share of sites among events at apps and sites; missing too where neither was used.
-- 网站行为占应用与网站行为的比例；二者皆无时亦缺失。
count(*) FILTER (in_window AND channel = 'site') / nullif(count(*) FILTER (in_window AND channel IN ('app', 'site')), 0);

-- variable usage_days of use_day | 上网天数 | days | 1 3
-- Days with an event.
-- 有上网行为的天数。
count(*) FILTER (in_window);

-- variable usage_names of use_name | 使用的应用与网站数 | names | 3
-- Different apps and sites.
-- 使用过的不同应用与网站数。
count(*) FILTER (in_window AND channel IN ('app', 'site'));
