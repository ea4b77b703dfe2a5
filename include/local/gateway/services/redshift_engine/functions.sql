-- Functions of Redshift that PostgreSQL lacks, in pg_catalog, so that any search_path finds them.
-- Names that begin with rs_ are what the translation puts in place of Redshift's.

CREATE DOMAIN pg_catalog.super AS jsonb;

CREATE FUNCTION pg_catalog.getdate() RETURNS timestamp STABLE LANGUAGE sql AS
$$ SELECT date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC') $$;
CREATE FUNCTION pg_catalog.rs_sysdate() RETURNS timestamp STABLE LANGUAGE sql AS
$$ SELECT transaction_timestamp() AT TIME ZONE 'UTC' $$;

CREATE FUNCTION pg_catalog.rs_interval(part text, n bigint) RETURNS interval IMMUTABLE STRICT
LANGUAGE plpgsql AS $$
BEGIN
  RETURN CASE part
    WHEN 'year' THEN make_interval(years => n::int)
    WHEN 'quarter' THEN make_interval(months => (3 * n)::int)
    WHEN 'month' THEN make_interval(months => n::int)
    WHEN 'week' THEN make_interval(days => (7 * n)::int)
    WHEN 'day' THEN make_interval(days => n::int)
    WHEN 'doy' THEN make_interval(days => n::int)
    WHEN 'dow' THEN make_interval(days => n::int)
    WHEN 'hour' THEN n * interval '1 hour'
    WHEN 'minute' THEN n * interval '1 minute'
    WHEN 'second' THEN n * interval '1 second'
    WHEN 'milliseconds' THEN n * interval '1 millisecond'
    WHEN 'microseconds' THEN n * interval '1 microsecond'
    WHEN 'decade' THEN make_interval(years => (10 * n)::int)
    WHEN 'century' THEN make_interval(years => (100 * n)::int)
    WHEN 'millennium' THEN make_interval(years => (1000 * n)::int)
  END;
END $$;
CREATE FUNCTION pg_catalog.dateadd(part text, n bigint, at timestamp) RETURNS timestamp
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT at + rs_interval(part, n) $$;
CREATE FUNCTION pg_catalog.dateadd(part text, n bigint, at date) RETURNS timestamp
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT at::timestamp + rs_interval(part, n) $$;
CREATE FUNCTION pg_catalog.dateadd(part text, n bigint, at timestamptz) RETURNS timestamptz
STABLE STRICT LANGUAGE sql AS $$ SELECT at + rs_interval(part, n) $$;
CREATE FUNCTION pg_catalog.dateadd(part text, n bigint, at time) RETURNS time
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT at + rs_interval(part, n) $$;

CREATE FUNCTION pg_catalog.datediff(part text, a timestamp, b timestamp) RETURNS bigint
IMMUTABLE STRICT LANGUAGE plpgsql AS $$
DECLARE
  days bigint := b::date - a::date;
  months bigint := (extract(year FROM b) - extract(year FROM a)) * 12
    + extract(month FROM b) - extract(month FROM a);
  unit numeric;
BEGIN
  CASE part
    WHEN 'day', 'dow', 'doy' THEN RETURN days;
    WHEN 'week' THEN
      RETURN ((b::date - extract(dow FROM b)::int) - (a::date - extract(dow FROM a)::int)) / 7;
    WHEN 'month' THEN RETURN months;
    WHEN 'quarter' THEN
      RETURN (extract(year FROM b) * 4 + extract(quarter FROM b))
        - (extract(year FROM a) * 4 + extract(quarter FROM a));
    WHEN 'year' THEN RETURN extract(year FROM b) - extract(year FROM a);
    WHEN 'decade' THEN RETURN extract(decade FROM b) - extract(decade FROM a);
    WHEN 'century' THEN RETURN extract(century FROM b) - extract(century FROM a);
    WHEN 'millennium' THEN RETURN extract(millennium FROM b) - extract(millennium FROM a);
    ELSE
      unit := CASE part WHEN 'hour' THEN 3600 WHEN 'minute' THEN 60 WHEN 'second' THEN 1
        WHEN 'milliseconds' THEN 0.001 WHEN 'microseconds' THEN 0.000001 END;
      RETURN floor(extract(epoch FROM b) / unit) - floor(extract(epoch FROM a) / unit);
  END CASE;
END $$;
CREATE FUNCTION pg_catalog.datediff(part text, a timestamptz, b timestamptz) RETURNS bigint
STABLE STRICT LANGUAGE sql AS
$$ SELECT datediff(part, a AT TIME ZONE 'UTC', b AT TIME ZONE 'UTC') $$;
CREATE FUNCTION pg_catalog.datediff(part text, a time, b time) RETURNS bigint
IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT datediff(part, date '2000-01-01' + a, date '2000-01-01' + b) $$;
CREATE FUNCTION pg_catalog.datediff(part text, a date, b date) RETURNS bigint
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT datediff(part, a::timestamp, b::timestamp) $$;

CREATE FUNCTION pg_catalog.rs_extract(part text, at timestamp) RETURNS bigint
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT trunc(date_part(part, at))::bigint $$;
CREATE FUNCTION pg_catalog.rs_extract(part text, at date) RETURNS bigint
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT trunc(date_part(part, at::timestamp))::bigint $$;
CREATE FUNCTION pg_catalog.rs_extract(part text, at time) RETURNS bigint
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT trunc(date_part(part, at))::bigint $$;
CREATE FUNCTION pg_catalog.rs_extract(part text, at interval) RETURNS bigint
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT trunc(date_part(part, at))::bigint $$;
CREATE FUNCTION pg_catalog.rs_extract(part text, at timestamptz) RETURNS double precision
STABLE STRICT LANGUAGE sql AS $$ SELECT date_part(part, at) $$;

CREATE FUNCTION pg_catalog.convert_timezone(source text, target text, at timestamp)
RETURNS timestamp STABLE STRICT LANGUAGE sql AS
$$ SELECT at AT TIME ZONE source AT TIME ZONE target $$;
CREATE FUNCTION pg_catalog.convert_timezone(target text, at timestamp)
RETURNS timestamp STABLE STRICT LANGUAGE sql AS
$$ SELECT at AT TIME ZONE 'UTC' AT TIME ZONE target $$;
CREATE FUNCTION pg_catalog.convert_timezone(target text, at timestamptz)
RETURNS timestamp STABLE STRICT LANGUAGE sql AS $$ SELECT at AT TIME ZONE target $$;

-- PostgreSQL's own makes a time with time zone of a date.
CREATE FUNCTION pg_catalog.date_trunc(part text, at date) RETURNS timestamp
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT date_trunc(part, at::timestamp) $$;
CREATE FUNCTION pg_catalog.last_day(at timestamp) RETURNS date IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT (date_trunc('month', at) + interval '1 month - 1 day')::date $$;
CREATE FUNCTION pg_catalog.add_months(at timestamp, n bigint) RETURNS timestamp
IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT CASE WHEN at::date = last_day(at)
    THEN last_day(date_trunc('month', at) + rs_interval('month', n)) + at::time
    ELSE at + rs_interval('month', n) END $$;
CREATE FUNCTION pg_catalog.months_between(a timestamp, b timestamp) RETURNS double precision
IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT CASE
    WHEN extract(day FROM a) = extract(day FROM b)
      OR (a::date = last_day(a) AND b::date = last_day(b))
    THEN datediff('month', b, a)::double precision
    ELSE datediff('month', b, a)
      + (extract(epoch FROM a - date_trunc('month', a))
         - extract(epoch FROM b - date_trunc('month', b)))::double precision / 86400 / 31
  END $$;
CREATE FUNCTION pg_catalog.next_day(at timestamp, day text) RETURNS date
IMMUTABLE STRICT LANGUAGE plpgsql AS $$
DECLARE wanted int := CASE
  WHEN lower(day) IN ('su', 'sun', 'sunday') THEN 0
  WHEN lower(day) IN ('m', 'mo', 'mon', 'monday') THEN 1
  WHEN lower(day) IN ('tu', 'tue', 'tues', 'tuesday') THEN 2
  WHEN lower(day) IN ('w', 'we', 'wed', 'wednesday') THEN 3
  WHEN lower(day) IN ('th', 'thu', 'thurs', 'thursday') THEN 4
  WHEN lower(day) IN ('f', 'fr', 'fri', 'friday') THEN 5
  WHEN lower(day) IN ('sa', 'sat', 'saturday') THEN 6 END;
BEGIN
  IF wanted IS NULL THEN RAISE 'day/day of week "%" not known', day; END IF;
  RETURN at::date + (wanted - extract(dow FROM at)::int + 6) % 7 + 1;
END $$;
CREATE FUNCTION pg_catalog.trunc(at timestamp) RETURNS date IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT at::date $$;
CREATE FUNCTION pg_catalog.len(value text) RETURNS int IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT length(value) $$;
CREATE FUNCTION pg_catalog.charindex(part text, value text) RETURNS int IMMUTABLE STRICT
LANGUAGE sql AS $$ SELECT strpos(value, part) $$;
CREATE FUNCTION pg_catalog.replicate(value text, n int) RETURNS text IMMUTABLE STRICT
LANGUAGE sql AS $$ SELECT repeat(value, n) $$;
CREATE FUNCTION pg_catalog.strtol(value text, base int) RETURNS bigint IMMUTABLE STRICT
LANGUAGE plpgsql AS $$
DECLARE
  digits text := ltrim(lower(value), '+-');
  found bigint := 0;
  digit int;
BEGIN
  IF base = 16 AND digits LIKE '0x%' THEN digits := substr(digits, 3); END IF;
  FOR i IN 1..length(digits) LOOP
    digit := strpos('0123456789abcdefghijklmnopqrstuvwxyz', substr(digits, i, 1)) - 1;
    IF digit < 0 OR digit >= base THEN
      RAISE 'The input % is not valid to be converted to base %', value, base;
    END IF;
    found := found * base + digit;
  END LOOP;
  RETURN CASE WHEN value LIKE '-%' THEN -found ELSE found END;
END $$;
CREATE FUNCTION pg_catalog.sha2(value text, bits int) RETURNS text IMMUTABLE STRICT
LANGUAGE plpgsql AS $$
DECLARE bytes bytea := convert_to(value, 'UTF8');
BEGIN
  RETURN encode(CASE bits WHEN 224 THEN sha224(bytes) WHEN 0 THEN sha256(bytes)
    WHEN 256 THEN sha256(bytes) WHEN 384 THEN sha384(bytes) WHEN 512 THEN sha512(bytes) END, 'hex');
END $$;
CREATE FUNCTION pg_catalog.rs_crc32(value text) RETURNS bigint IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT crc32(convert_to(value, 'UTF8')) $$;
CREATE FUNCTION pg_catalog.rs_regexp_replace(
  value text, pattern text, replacement text DEFAULT '', start_at int DEFAULT 1,
  parameters text DEFAULT 'c')
RETURNS text IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT regexp_replace(value, pattern,
    regexp_replace(replacement, '[$]([0-9])', $q$\\\1$q$, 'g'), start_at, 0,
    translate(parameters, 'pe', '')) $$;
CREATE FUNCTION pg_catalog.rs_regexp_substr(
  value text, pattern text, start_at int DEFAULT 1, occurrence int DEFAULT 1,
  parameters text DEFAULT 'c')
RETURNS text IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT coalesce(regexp_substr(value, pattern, start_at, occurrence,
    translate(parameters, 'pe', ''), CASE WHEN parameters LIKE '%e%' THEN 1 ELSE 0 END), '') $$;

CREATE FUNCTION pg_catalog.is_valid_json(value text) RETURNS boolean IMMUTABLE STRICT
LANGUAGE sql AS $$ SELECT value IS JSON OBJECT $$;
CREATE FUNCTION pg_catalog.is_valid_json_array(value text) RETURNS boolean IMMUTABLE STRICT
LANGUAGE sql AS $$ SELECT value IS JSON ARRAY $$;
CREATE FUNCTION pg_catalog.rs_json_extract_path_text(
  null_if_invalid boolean, value text, VARIADIC path text[])
RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  IF value IS NULL THEN RETURN NULL; END IF;
  IF value IS NOT JSON THEN
    IF null_if_invalid THEN RETURN NULL; END IF;
    RAISE 'JSON parsing error' USING DETAIL = 'invalid json object ' || value;
  END IF;
  IF jsonb_extract_path(value::jsonb, VARIADIC path) IS NULL THEN RETURN ''; END IF;
  RETURN json_extract_path_text(value::json, VARIADIC path);
END $$;
CREATE FUNCTION pg_catalog.json_extract_array_element_text(
  value text, item int, null_if_invalid boolean DEFAULT false)
RETURNS text IMMUTABLE STRICT LANGUAGE plpgsql AS $$
BEGIN
  IF value IS NOT JSON ARRAY THEN
    IF null_if_invalid THEN RETURN NULL; END IF;
    RAISE 'JSON parsing error' USING DETAIL = 'invalid json array object ' || value;
  END IF;
  RETURN value::json ->> item;
END $$;
CREATE FUNCTION pg_catalog.json_array_length(value text, null_if_invalid boolean DEFAULT false)
RETURNS int IMMUTABLE STRICT LANGUAGE plpgsql AS $$
BEGIN
  IF value IS NOT JSON ARRAY THEN
    IF null_if_invalid THEN RETURN NULL; END IF;
    RAISE 'JSON parsing error' USING DETAIL = 'invalid json array object ' || value;
  END IF;
  RETURN json_array_length(value::json);
END $$;
CREATE FUNCTION pg_catalog.json_parse(value text) RETURNS super IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT value::jsonb $$;
CREATE FUNCTION pg_catalog.rs_json_serialize(value jsonb) RETURNS text IMMUTABLE STRICT
LANGUAGE plpgsql AS $$
BEGIN
  RETURN CASE jsonb_typeof(value)
    WHEN 'object' THEN (
      SELECT '{' || coalesce(string_agg(to_json(key)::text || ':' || rs_json_serialize(item), ','), '')
        || '}' FROM jsonb_each(value) AS each(key, item))
    WHEN 'array' THEN (
      SELECT '[' || coalesce(string_agg(rs_json_serialize(item), ',' ORDER BY n), '') || ']'
      FROM jsonb_array_elements(value) WITH ORDINALITY AS each(item, n))
    WHEN 'string' THEN to_json(value #>> '{}')::text
    WHEN 'null' THEN 'null'
    ELSE value #>> '{}' END;
END $$;
CREATE FUNCTION pg_catalog.json_typeof(value jsonb) RETURNS text IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT jsonb_typeof(value) $$;
CREATE FUNCTION pg_catalog.get_array_length(value jsonb) RETURNS bigint IMMUTABLE STRICT
LANGUAGE sql AS
$$ SELECT CASE WHEN jsonb_typeof(value) = 'array' THEN jsonb_array_length(value) END $$;
CREATE FUNCTION pg_catalog.array_concat(a jsonb, b jsonb) RETURNS jsonb IMMUTABLE STRICT
LANGUAGE sql AS $$ SELECT a || b $$;
CREATE FUNCTION pg_catalog.rs_path(value jsonb, VARIADIC path text[]) RETURNS super
IMMUTABLE LANGUAGE sql AS $$ SELECT nullif(value #> path, 'null'::jsonb) $$;
CREATE FUNCTION pg_catalog.rs_text(value jsonb) RETURNS text IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT value #>> '{}' $$;
CREATE CAST (jsonb AS text) WITH FUNCTION pg_catalog.rs_text(jsonb);
CREATE CAST (jsonb AS varchar) WITH FUNCTION pg_catalog.rs_text(jsonb);
-- A SUPER value that is no number equals none and is not greater or less.
DO $$
DECLARE operator text;
DECLARE number int := 0;
BEGIN
  FOREACH operator IN ARRAY ARRAY['=', '<>', '<', '<=', '>', '>='] LOOP
    number := number + 1;
    EXECUTE format(
      'CREATE FUNCTION pg_catalog.rs_compare_%s(jsonb, numeric) RETURNS boolean IMMUTABLE STRICT '
      'LANGUAGE sql AS %L', number,
      'SELECT CASE WHEN jsonb_typeof($1) = ''number'' THEN ($1)::numeric ' || operator || ' $2 END');
    EXECUTE format('CREATE OPERATOR pg_catalog.%s (leftarg = jsonb, rightarg = numeric, '
      'function = pg_catalog.rs_compare_%s)', operator, number);
  END LOOP;
END $$;
CREATE FUNCTION pg_catalog.rs_elements(value jsonb) RETURNS SETOF jsonb IMMUTABLE
LANGUAGE sql AS $$
  SELECT jsonb_array_elements(CASE WHEN jsonb_typeof(value) = 'array' THEN value
    WHEN value IS NULL THEN '[]' ELSE jsonb_build_array(value) END) $$;

CREATE FUNCTION pg_catalog.pg_last_copy_count() RETURNS bigint STABLE LANGUAGE sql AS
$$ SELECT coalesce(nullif(current_setting('updraft.last_copy_count', true), '')::bigint, 0) $$;
CREATE FUNCTION pg_catalog.pg_last_copy_id() RETURNS bigint STABLE LANGUAGE sql AS
$$ SELECT coalesce(nullif(current_setting('updraft.last_copy_id', true), '')::bigint, -1) $$;
CREATE FUNCTION pg_catalog.pg_last_query_id() RETURNS bigint STABLE LANGUAGE sql AS
$$ SELECT coalesce(nullif(current_setting('updraft.last_query_id', true), '')::bigint, -1) $$;

-- The average of whole numbers is a whole number in Redshift.
ALTER AGGREGATE pg_catalog.avg(smallint) RENAME TO rs_avg;
ALTER AGGREGATE pg_catalog.avg(integer) RENAME TO rs_avg;
ALTER AGGREGATE pg_catalog.avg(bigint) RENAME TO rs_avg;
CREATE FUNCTION pg_catalog.rs_avg_add(state numeric[], value bigint) RETURNS numeric[]
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT ARRAY[state[1] + value, state[2] + 1] $$;
CREATE FUNCTION pg_catalog.rs_avg_end(state numeric[]) RETURNS bigint
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT trunc(state[1] / nullif(state[2], 0))::bigint $$;
CREATE AGGREGATE pg_catalog.avg(bigint) (
  sfunc = pg_catalog.rs_avg_add, stype = numeric[], finalfunc = pg_catalog.rs_avg_end,
  initcond = '{0,0}');
CREATE FUNCTION pg_catalog.rs_avg_add(state numeric[], value integer) RETURNS numeric[]
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT ARRAY[state[1] + value, state[2] + 1] $$;
CREATE AGGREGATE pg_catalog.avg(integer) (
  sfunc = pg_catalog.rs_avg_add, stype = numeric[], finalfunc = pg_catalog.rs_avg_end,
  initcond = '{0,0}');
CREATE FUNCTION pg_catalog.rs_avg_add(state numeric[], value smallint) RETURNS numeric[]
IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT ARRAY[state[1] + value, state[2] + 1] $$;
CREATE AGGREGATE pg_catalog.avg(smallint) (
  sfunc = pg_catalog.rs_avg_add, stype = numeric[], finalfunc = pg_catalog.rs_avg_end,
  initcond = '{0,0}');
