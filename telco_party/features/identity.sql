-- family identity | Identity | 身份
-- What is one person's is told by telco_party/persons.py.

-- stage held by person absent null | never | 从不缺失
-- One row an identifier of the person, with the first day on which it was the person's.
SELECT person, kind, value, first_seen, 1 AS ago FROM holding JOIN (SELECT DISTINCT person FROM here) USING (person) WHERE current;

-- stage gadget by person absent null | no device of the person was ever seen | 从未见到此人的终端
-- One row a device that the person holds.
SELECT person, value, first_seen, months_ago(first_seen) AS newness, 1 AS ago FROM held WHERE kind = 'device';

-- stage home_line by phone absent 0 | never: 0 where there is none | 从不缺失：没有即为 0
-- One row a broadband account that is the person's, or that of the person's household.
SELECT here.phone, household.value, phones, 1 AS ago FROM household JOIN here USING (person);

-- variable identifiers of held | 标识数 | identifiers | all
-- Identifiers folded into the person, the phone itself among them.
-- 归并到此人的标识总数，含本号码。
count(*);

-- variable phone_numbers of held | 号码数 | numbers | all
-- Phone numbers of the person.
-- 此人的号码数。
count(*) FILTER (kind = 'phone');

-- variable cookies of held | 浏览器标识数 | cookies | all
-- Cookies of the person.
-- 此人的 Cookie 数。
count(*) FILTER (kind = 'cookie');

-- variable devices of gadget | 终端数 | devices | all
-- Devices that the person holds.
-- 此人持有的终端数。
count(*);

-- variable device_changes of gadget | 换机次数 | changes | 6
-- Devices first seen in the window, less one where none was seen before.
-- 窗口内首次出现的终端数；此前无终端者减一。
count(*) FILTER (newness <= 6) - (count(*) FILTER (newness > 6) = 0)::INTEGER;

-- variable device_age_days of gadget | 当前终端使用天数 | days | all
-- Days since the newest device was first seen.
-- 最新终端首次出现至截止日的天数。
date_diff('day', max(first_seen), as_of());

-- variable broadband of home_line | 有无宽带 | 0/1 | all
-- 1 where a broadband account was seen with the person.
-- 见到此人使用宽带账号则为 1。
1;

-- variable household_phones of home_line | 家庭号码数 | numbers | all
-- Numbers that share the fullest broadband account of the person.
-- 此人所用宽带账号下最多的号码数。
max(phones);
