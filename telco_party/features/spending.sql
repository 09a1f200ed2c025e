-- family spending | Spending and tenure | 消费与在网
-- A bill is known when its month is over. It is late if it was paid, or is still unpaid, more than 30 days after its month.

-- stage bill by phone absent null | no bill of the window on record | 窗口内无账单
-- One row a bill.
SELECT phone, ago, charge, data_gb, voice_minutes, sms, paid_on, coalesce(paid_on, as_of()) > (month + INTERVAL 1 MONTH)::DATE + 30 AS late
FROM known_bills;

-- stage topup by phone absent 0 | never: 0 where there was none | 从不缺失：没有即为 0
-- One row a top-up.
SELECT phone, ago, amount FROM known_topups;

-- stage suspension by phone absent 0 | never: 0 where there was none | 从不缺失：没有即为 0
-- One row a suspension begun in the window; its days end with the as-of date.
SELECT phone, ago, date_diff('day', suspended_on, coalesce(restored_on, as_of())) AS days FROM known_suspensions;

-- stage subscriber_row by phone absent null | never | 从不缺失
-- One row a subscriber.
SELECT phone, 1 AS ago, opened_on FROM here;

-- variable charge_mean of bill | 月均消费 | yuan | 3 6
-- Mean monthly charge.
-- 月均账单金额。
avg(charge) FILTER (in_window);

-- variable charge_trend of bill | 消费趋势 | ratio | 3
-- Charge of the newest month over the mean of the window; missing too without a bill of the newest month, or where the mean is 0.
-- 最近一个月消费与窗口月均之比；最近一月无账单或均值为 0 时亦缺失。
avg(charge) FILTER (ago = 1) / nullif(avg(charge) FILTER (in_window), 0);

-- variable charge_spread of bill | 消费波动 | ratio | 6
-- Standard deviation of the monthly charge over its mean; missing too where the mean is 0.
-- 月消费标准差与均值之比；均值为 0 时亦缺失。
stddev_pop(charge) FILTER (in_window) / nullif(avg(charge) FILTER (in_window), 0);

-- variable data_gb_mean of bill | 月均流量 | GB | 3
-- Mean data of a month.
-- 月均流量。
avg(data_gb) FILTER (in_window);

-- variable data_gb_trend of bill | 流量趋势 | ratio | 3
-- Data of the newest month over the mean of the window; missing too without a bill of the newest month, or where the mean is 0.
-- 最近一个月流量与窗口月均之比；最近一月无账单或均值为 0 时亦缺失。
avg(data_gb) FILTER (ago = 1) / nullif(avg(data_gb) FILTER (in_window), 0);

-- variable voice_minutes_mean of bill | 月均计费通话分钟 | minutes | 3
-- Mean minutes of speech billed a month.
-- 月均计费通话时长。
avg(voice_minutes) FILTER (in_window);

-- variable sms_mean of bill | 月均短信条数 | messages | 3
-- Mean short messages billed a month.
-- 月均计费短信条数。
avg(sms) FILTER (in_window);

-- variable late_payments of bill | 逾期缴费次数 | bills | 6
-- Bills that were paid late, or are late and unpaid.
-- 逾期缴纳或逾期未缴的账单数。
count(*) FILTER (in_window AND late);

-- variable unpaid_bills of bill | 未缴账单数 | bills | 6
-- Bills not paid by the as-of date.
-- 截至截止日未缴的账单数。
count(*) FILTER (in_window AND paid_on IS NULL);

-- variable topups of topup | 充值次数 | top-ups | 3 6
-- Top-ups.
-- 充值次数。
count(*) FILTER (in_window);

-- variable topup_amount of topup | 充值金额 | yuan | 3
-- Amount topped up.
-- 充值金额合计。
sum(amount) FILTER (in_window);

-- variable suspensions of suspension | 停机次数 | suspensions | 3 6
-- Suspensions begun.
-- 停机次数。
count(*) FILTER (in_window);

-- variable suspended_days of suspension | 停机天数 | days | 6
-- Days of the suspensions begun.
-- 窗口内开始的停机天数合计。
sum(days) FILTER (in_window);

-- variable tenure_months of subscriber_row | 在网月数 | months | all
-- Whole months since the number was opened.
-- 入网至截止日的整月数。
any_value(date_sub('month', opened_on, as_of()));
