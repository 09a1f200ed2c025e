-- family location | Location | 位置
-- Home is the cell with most minutes of visits begun from 21:00 to 07:00, work that of Monday to Friday from 09:00 to 18:00, both of three
-- months; of equals, the cell with the smaller number. A trip goes 30 km or more from home.

-- stage stay by phone absent null | no visit on record in the window | 窗口内无位置记录
-- One row a visit.
SELECT phone, ago, minutes, area, isodow("at") >= 6 AS weekend FROM known_visits JOIN known_cells USING (cell_id);

-- stage spot by phone absent null | no visit on record in the window | 窗口内无位置记录
-- One row a cell where the phone was in three months.
SELECT phone, cell_id, any_value(x_km) AS x_km, any_value(y_km) AS y_km, any_value(area) AS area, 1 AS ago, sum(minutes)::BIGINT AS minutes,
  coalesce(sum(minutes) FILTER (hour("at") >= 21 OR hour("at") < 7), 0)::BIGINT AS night,
  coalesce(sum(minutes) FILTER (isodow("at") <= 5 AND hour("at") >= 9 AND hour("at") < 18), 0)::BIGINT AS work
FROM known_visits JOIN known_cells USING (cell_id) WHERE ago <= 3 GROUP BY phone, cell_id;

-- stage anchor by phone absent null | no visit on record in the window | 窗口内无位置记录
-- One row a phone: where it lives, works, and the middle of its stays.
SELECT phone, 1 AS ago, arg_max(cell_id, night * 10000000000 - cell_id) FILTER (night > 0) AS home,
  arg_max(cell_id, work * 10000000000 - cell_id) FILTER (work > 0) AS work,
  sum(x_km * minutes) / sum(minutes) AS x_km, sum(y_km * minutes) / sum(minutes) AS y_km
FROM spot GROUP BY phone;

-- stage reach by phone absent null | no visit, or none at night, on record in the window | 窗口内无位置记录或无夜间记录
-- One row a cell where the phone was, with its distance from home and from the middle.
SELECT spot.*, spot.cell_id = home AS at_home, spot.cell_id = anchor.work AS at_work,
  sqrt((spot.x_km - lives.x_km) ** 2 + (spot.y_km - lives.y_km) ** 2) AS from_home,
  (spot.x_km - anchor.x_km) ** 2 + (spot.y_km - anchor.y_km) ** 2 AS from_middle
FROM spot JOIN anchor USING (phone) LEFT JOIN known_cells AS lives ON lives.cell_id = anchor.home;

-- stage travel by phone absent null | no visit on record in the window | 窗口内无位置记录
-- One row a day with a visit: how far from home it went.
SELECT phone, min(known_visits.ago) AS ago, "at"::DATE AS day, max(from_home) AS farthest
FROM known_visits JOIN reach USING (phone, cell_id) WHERE known_visits.ago <= 3 GROUP BY phone, "at"::DATE;

-- variable visits of stay | 位置记录数 | visits | 3
-- Visits to cells.
-- 基站停留记录数。
count(*) FILTER (in_window);

-- variable airport_visits of stay | 机场到访次数 | visits | 3 6
-- Visits to cells at an airport.
-- 机场基站的停留次数。
count(*) FILTER (in_window AND area = 'airport');

-- variable commercial_share of stay | 商业区停留占比 | share | 3
-- Share of the minutes that were spent in commercial areas; missing too where the visits have no minutes.
-- 商业区停留时长所占比例；停留时长为零时亦缺失。
coalesce(sum(minutes) FILTER (in_window AND area = 'commercial'), 0) / nullif(sum(minutes) FILTER (in_window), 0);

-- variable weekend_visit_share of stay | 周末位置占比 | share | 3
-- Share of visits on a Saturday or Sunday.
-- 周六、周日停留记录所占比例。
avg(weekend::INTEGER) FILTER (in_window);

-- variable cells of spot | 到访基站数 | cells | 3
-- Different cells visited.
-- 到访过的不同基站数。
count(*);

-- variable radius_km of reach | 活动半径 | km | 3
-- Root mean square distance from the middle of the stays, weighted by minutes.
-- 以停留时长加权、距活动中心的均方根距离。
sqrt(sum(from_middle * minutes) / sum(minutes));

-- variable home_work_km of reach | 职住距离 | km | 3
-- Distance from home to work; missing too where no working hours are on record.
-- 居住地与工作地的距离；无工作时段记录时亦缺失。
max(from_home) FILTER (at_work);

-- variable home_share of reach | 居家时长占比 | share | 3
-- Share of the minutes that were spent in the home cell; missing too where the visits have no minutes.
-- 居住地基站停留时长所占比例；停留时长为零时亦缺失。
CASE WHEN bool_or(at_home) THEN sum(minutes) FILTER (at_home) / nullif(sum(minutes), 0) END;

-- variable farthest_km of reach | 离家最远距离 | km | 3
-- Distance from home to the farthest cell visited.
-- 到访基站离家的最远距离。
max(from_home);

-- variable home_area of reach | 居住区域类型 | text | 3
-- Type of area of the home cell.
-- 居住地基站的区域类型。
any_value(area) FILTER (at_home);

-- variable work_area of reach | 工作区域类型 | text | 3
-- Type of area of the work cell; missing too where no working hours are on record.
-- 工作地基站的区域类型；无工作时段记录时亦缺失。
any_value(area) FILTER (at_work);

-- variable location_days of travel | 有位置天数 | days | 3
-- Days with a visit.
-- 有位置记录的天数。
count(*);

-- variable trip_days of travel | 出行天数 | days | 3
-- Days with a visit 30 km or more from home; missing too where no night is on record.
-- 到访离家 30 公里以外基站的天数；无夜间记录时亦缺失。
CASE WHEN count(farthest) > 0 THEN count(*) FILTER (farthest >= 30) END;
