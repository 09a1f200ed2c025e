-- family calls | Calls | 通话
-- each special: bank=银行, police=公安, courier=快递, takeaway=外卖, hospital=医院, collection=催收, loan=贷款, travel=旅行

-- stage call by phone absent null | no call on record in the window | 窗口内无通话记录
-- One row a call.
SELECT phone, ago, seconds, direction, special, hour(started_at) >= 22 OR hour(started_at) < 6 AS night, isodow(started_at) >= 6 AS weekend,
  started_at
FROM known_calls;

-- stage contact by phone absent null | no call with a private number on record in the window | 窗口内无与私人号码的通话记录
-- One row a number that the phone spoke with, special numbers left out; `ago` is its newest month.
SELECT phone, counterpart, min(ago) AS ago, count(*) AS calls, bool_or(direction = 'out') AS called, bool_or(direction = 'in') AS was_called
FROM known_calls WHERE special IS NULL AND ago <= 3 GROUP BY phone, counterpart;

-- stage call_day by phone absent null | no call on record in the window | 窗口内无通话记录
-- One row a day with a call.
SELECT phone, min(ago) AS ago, started_at::DATE AS day FROM known_calls GROUP BY phone, started_at::DATE;

-- variable calls of call | 通话次数 | calls | 1 3 6
-- Calls, out and in.
-- 主叫与被叫次数合计。
count(*) FILTER (in_window);

-- variable call_minutes of call | 通话分钟数 | minutes | 3
-- Minutes spoken.
-- 通话时长合计。
sum(seconds) FILTER (in_window) / 60;

-- variable call_mean_seconds of call | 平均通话时长 | seconds | 3
-- Mean length of a call.
-- 每次通话的平均时长。
avg(seconds) FILTER (in_window);

-- variable call_short_share of call | 短通话占比 | share | 3
-- Share of calls of at most ten seconds.
-- 不超过十秒的通话所占比例。
avg((seconds <= 10)::INTEGER) FILTER (in_window);

-- variable call_out_share of call | 主叫占比 | share | 3
-- Share of calls that the subscriber made.
-- 主叫通话所占比例。
avg((direction = 'out')::INTEGER) FILTER (in_window);

-- variable call_night_share of call | 夜间通话占比 | share | 1 3
-- Share of calls begun from 22:00 to 06:00.
-- 22 点至次日 6 点开始的通话所占比例。
avg(night::INTEGER) FILTER (in_window);

-- variable call_weekend_share of call | 周末通话占比 | share | 3
-- Share of calls begun on a Saturday or Sunday.
-- 周六、周日开始的通话所占比例。
avg(weekend::INTEGER) FILTER (in_window);

-- variable call_trend of call | 通话趋势 | ratio | 3 6
-- Calls of the newest month over the monthly mean of the window: 1 is steady.
-- 最近一个月的通话次数与窗口月均之比，1 为持平。
window_months * count(*) FILTER (ago = 1) / count(*) FILTER (in_window);

-- variable call_idle_days of call | 距最近通话天数 | days | 6
-- Days from the newest call to the as-of date.
-- 最近一次通话距截止日的天数。
date_diff('day', max(started_at) FILTER (in_window)::DATE, as_of());

-- variable calls_<special> of call | 与<special>号码通话次数 | calls | 3
-- Calls with special numbers of the kind "<special>".
-- 与<special>类特殊号码的通话次数。
count(*) FILTER (in_window AND special = '<special>');

-- variable contacts of contact | 联系人数 | people | 1 3
-- Private numbers spoken with.
-- 通话过的私人号码数。
count(*) FILTER (in_window);

-- variable contact_reciprocity of contact | 双向联系占比 | share | 3
-- Share of contacts that were called and called too.
-- 既有主叫又有被叫的联系人所占比例。
avg((called AND was_called)::INTEGER) FILTER (in_window);

-- variable contact_top_share of contact | 首要联系人占比 | share | 3
-- Share of the calls with private numbers that went to the commonest one.
-- 与最常联系号码的通话占私人通话的比例。
max(calls) FILTER (in_window) / sum(calls) FILTER (in_window);

-- variable call_silent_days of call_day | 静默天数 | days | 1 3
-- Days of the window without a call.
-- 窗口内没有通话的天数。
window_days - count(*) FILTER (in_window);
