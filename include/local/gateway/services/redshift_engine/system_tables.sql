-- Tables and views of Redshift's that people query, in pg_catalog.

CREATE SEQUENCE pg_catalog.rs_query_ids START 1000;
CREATE TABLE pg_catalog.rs_design (
  relid oid PRIMARY KEY, diststyle text, distkey text, sortkeys text[], encodings jsonb);
CREATE TABLE pg_catalog.rs_queries (
  query bigint PRIMARY KEY, user_name text, pid int, label text, starttime timestamp,
  endtime timestamp, aborted int, querytxt text, query_type text, error_message text,
  returned_rows bigint);
CREATE TABLE pg_catalog.stl_load_errors (
  userid int, slice int, tbl int, starttime timestamp, session int, query bigint,
  filename char(256), line_number bigint, colname char(127), type char(10), col_length char(10),
  position int, raw_line char(1024), raw_field_value char(1024), err_code int,
  err_reason char(100), is_partial int, start_offset bigint, copy_job_id bigint);
CREATE TABLE pg_catalog.stl_load_commits (
  userid int, query bigint, slice int, name char(256), filename char(256), byte_offset int,
  lines_scanned int, errors int, curtime timestamp, status int, file_format char(16),
  is_partial int, start_offset bigint);
CREATE TABLE pg_catalog.stl_unload_log (
  userid int, query bigint, slice int, pid int, path char(1280), start_time timestamp,
  end_time timestamp, line_count bigint, transfer_size bigint, file_format char(10));

CREATE VIEW pg_catalog.sys_load_error_detail AS
SELECT userid AS user_id, query AS query_id, 0::bigint AS transaction_id, session AS session_id,
  current_database() AS database_name, tbl AS table_id, starttime AS start_time,
  filename AS file_name, line_number, colname AS column_name, type AS column_type,
  col_length AS column_length, position, err_code AS error_code, err_reason AS error_message,
  copy_job_id
FROM pg_catalog.stl_load_errors;
CREATE VIEW pg_catalog.stl_loaderror_detail AS
SELECT userid, slice, session, query, filename, line_number, 0 AS field, colname,
  raw_field_value AS value, 0 AS is_null, type, col_length FROM pg_catalog.stl_load_errors;
CREATE VIEW pg_catalog.sys_load_history AS
SELECT userid AS user_id, query AS query_id, 'completed'::text AS status,
  min(trim(filename)) AS data_source, min(trim(file_format)) AS file_format,
  sum(lines_scanned)::bigint AS loaded_rows, 0::bigint AS loaded_bytes,
  count(*)::bigint AS source_file_count, sum(errors)::bigint AS error_count,
  max(curtime) AS end_time
FROM pg_catalog.stl_load_commits GROUP BY userid, query;
CREATE VIEW pg_catalog.sys_unload_history AS
SELECT userid AS user_id, query AS query_id, 'completed'::text AS status,
  min(trim(file_format)) AS file_format, min(start_time) AS start_time, max(end_time) AS end_time,
  sum(line_count)::bigint AS unloaded_rows, count(*)::bigint AS unloaded_files_count,
  sum(transfer_size)::bigint AS unloaded_files_size, min(trim(path)) AS unload_location
FROM pg_catalog.stl_unload_log GROUP BY userid, query;
CREATE VIEW pg_catalog.stl_query AS
SELECT coalesce(u.usesysid::int, 0) AS userid, query, label, 0::bigint AS xid, pid,
  current_database() AS database, substr(querytxt, 1, 4000) AS querytxt, starttime, endtime, aborted, 0 AS insert_pristine,
  0 AS concurrency_scaling_status
FROM pg_catalog.rs_queries q LEFT JOIN pg_catalog.pg_user u ON u.usename = q.user_name;
CREATE VIEW pg_catalog.svl_qlog AS
SELECT userid, query, xid, pid, starttime, endtime,
  (extract(epoch FROM endtime - starttime) * 1000000)::bigint AS elapsed, aborted, label,
  substr(querytxt, 1, 60) AS "substring" FROM pg_catalog.stl_query;
CREATE VIEW pg_catalog.stl_querytext AS
SELECT userid, xid, pid, query, n - 1 AS sequence, substr(querytxt, (n - 1) * 200 + 1, 200) AS text
FROM pg_catalog.stl_query, generate_series(1, greatest(1, (length(querytxt) + 199) / 200)) AS n;
CREATE VIEW pg_catalog.sys_query_text AS
SELECT s.userid AS user_id, q.query AS query_id, 0::bigint AS transaction_id, q.pid AS session_id,
  q.starttime AS start_time, n - 1 AS sequence,
  substr(q.querytxt, (n - 1) * 4000 + 1, 4000)::char(4000) AS text
FROM pg_catalog.rs_queries q JOIN pg_catalog.stl_query s USING (query),
  generate_series(1, greatest(1, (length(q.querytxt) + 3999) / 4000)) AS n;
CREATE VIEW pg_catalog.sys_query_history AS
SELECT s.userid AS user_id, s.query AS query_id, s.label AS query_label, 0::bigint AS transaction_id,
  s.pid AS session_id, s.database AS database_name, q.query_type,
  CASE WHEN s.aborted = 1 THEN 'failed' ELSE 'success' END AS status,
  false AS result_cache_hit, s.starttime AS start_time, s.endtime AS end_time,
  (extract(epoch FROM s.endtime - s.starttime) * 1000000)::bigint AS elapsed_time,
  0::bigint AS queue_time, coalesce(q.error_message, '') AS error_message, q.returned_rows,
  s.querytxt AS query_text
FROM pg_catalog.stl_query s JOIN pg_catalog.rs_queries q USING (query);
CREATE VIEW pg_catalog.stv_sessions AS
SELECT backend_start AS starttime, pid AS process, usename AS user_name, datname AS db_name,
  0 AS timeout_sec FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend';

CREATE FUNCTION pg_catalog.rs_row_count(relation oid) RETURNS bigint STABLE
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE found bigint;
BEGIN
  EXECUTE 'SELECT count(*) FROM ' || relation::regclass INTO found;
  RETURN found;
END $$;
CREATE FUNCTION pg_catalog.rs_type(type oid, modifier int) RETURNS text IMMUTABLE LANGUAGE sql AS
$$ SELECT CASE WHEN type IN ('jsonb'::regtype, 'super'::regtype) THEN 'super'
  WHEN type = 'bytea'::regtype THEN 'binary varying' ELSE format_type(type, modifier) END $$;
CREATE VIEW pg_catalog.rs_columns AS
SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, c.oid AS relid, c.relkind,
  a.attname::text AS column_name, a.attnum::int AS ordinal_position, a.attnotnull,
  pg_get_expr(d.adbin, d.adrelid) AS column_default, a.atttypid, a.atttypmod,
  pg_catalog.rs_type(a.atttypid, a.atttypmod) AS type, a.attidentity,
  pg_table_is_visible(c.oid) AS is_visible, c.relpersistence
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm')
  AND n.nspname NOT LIKE 'pg_toast%'
  AND (pg_has_role(c.relowner, 'USAGE')
    OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'));
CREATE VIEW pg_catalog.pg_table_def AS
SELECT schema_name::name AS schemaname, table_name::name AS tablename, column_name::name AS "column",
  type, coalesce(d.encodings ->> column_name, 'none') AS encoding,
  coalesce(d.distkey = column_name, false) AS distkey,
  coalesce(array_position(d.sortkeys, column_name), 0) AS sortkey, attnotnull AS "notnull"
FROM pg_catalog.rs_columns c LEFT JOIN pg_catalog.rs_design d USING (relid)
WHERE is_visible AND relkind = 'r';
CREATE VIEW pg_catalog.svv_all_columns AS
SELECT current_database()::text AS database_name, schema_name, table_name, column_name,
  ordinal_position, column_default,
  CASE WHEN attnotnull THEN 'NO' ELSE 'YES' END AS is_nullable,
  regexp_replace(type, '[(][0-9,]+[)]', '') AS data_type,
  information_schema._pg_char_max_length(atttypid, atttypmod) AS character_maximum_length,
  information_schema._pg_numeric_precision(atttypid, atttypmod) AS numeric_precision,
  information_schema._pg_numeric_scale(atttypid, atttypmod) AS numeric_scale,
  col_description(relid, ordinal_position) AS remarks
FROM pg_catalog.rs_columns WHERE schema_name NOT IN ('pg_catalog', 'information_schema');
CREATE VIEW pg_catalog.svv_redshift_columns AS
SELECT database_name, schema_name, table_name, column_name, ordinal_position, data_type,
  column_default, is_nullable, coalesce(d.encodings ->> column_name, 'none') AS encoding,
  coalesce(d.distkey = column_name, false) AS distkey,
  coalesce(array_position(d.sortkeys, column_name), 0) AS sortkey,
  ''::text AS column_acl, remarks
FROM pg_catalog.svv_all_columns c LEFT JOIN pg_catalog.rs_design d
  ON d.relid = format('%I.%I', c.schema_name, c.table_name)::regclass;
CREATE VIEW pg_catalog.svv_columns AS
SELECT database_name AS table_catalog, schema_name AS table_schema, table_name, column_name,
  ordinal_position, column_default, is_nullable, data_type, character_maximum_length,
  numeric_precision, numeric_scale, remarks FROM pg_catalog.svv_all_columns;
CREATE VIEW pg_catalog.svv_all_tables AS
SELECT current_database()::text AS database_name, n.nspname::text AS schema_name,
  c.relname::text AS table_name, ''::text AS table_acl,
  CASE c.relkind WHEN 'r' THEN 'TABLE' ELSE 'VIEW' END AS table_type,
  obj_description(c.oid, 'pg_class') AS remarks
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast');
CREATE VIEW pg_catalog.svv_redshift_tables AS
SELECT database_name, schema_name, table_name, table_type, table_acl, remarks
FROM pg_catalog.svv_all_tables;
CREATE VIEW pg_catalog.svv_tables AS
SELECT database_name AS table_catalog, schema_name AS table_schema, table_name,
  CASE table_type WHEN 'TABLE' THEN 'BASE TABLE' ELSE table_type END AS table_type, remarks
FROM pg_catalog.svv_all_tables;
CREATE VIEW pg_catalog.svv_all_schemas AS
SELECT current_database()::text AS database_name, nspname::text AS schema_name,
  nspowner::int AS schema_owner, 'local'::text AS schema_type, ''::text AS schema_acl,
  NULL::text AS source_database, NULL::text AS schema_option
FROM pg_namespace WHERE nspname NOT LIKE 'pg_t%';
CREATE VIEW pg_catalog.svv_redshift_schemas AS
SELECT database_name, schema_name, schema_owner, schema_type, schema_acl, schema_option
FROM pg_catalog.svv_all_schemas;
CREATE VIEW pg_catalog.svv_redshift_databases AS
SELECT datname::text AS database_name, datdba::int AS database_owner,
  'local'::text AS database_type, ''::text AS database_acl, ''::text AS database_options,
  'Snapshot Isolation'::text AS database_isolation_level
FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres';
CREATE VIEW pg_catalog.svv_table_info AS
SELECT current_database()::text AS database, n.nspname::text AS schema, c.oid::int AS table_id,
  c.relname::text AS "table",
  CASE WHEN d.encodings IS NULL OR d.encodings = '{}' THEN 'N' ELSE 'Y' END AS encoded,
  CASE WHEN d.distkey IS NOT NULL THEN 'KEY(' || d.distkey || ')'
    WHEN d.diststyle IS NOT NULL THEN upper(d.diststyle) ELSE 'AUTO(ALL)' END AS diststyle,
  coalesce(d.sortkeys[1], 'AUTO(SORTKEY)') AS sortkey1,
  (SELECT max(information_schema._pg_char_max_length(atttypid, atttypmod)) FROM pg_attribute
    WHERE attrelid = c.oid AND NOT attisdropped) AS max_varchar,
  NULL::text AS sortkey1_enc, coalesce(array_length(d.sortkeys, 1), 0) AS sortkey_num,
  greatest(1, pg_table_size(c.oid) / 1048576) AS size, 0::numeric AS pct_used, 0 AS empty,
  NULL::numeric AS unsorted, NULL::numeric AS stats_off, r.tbl_rows::numeric AS tbl_rows,
  NULL::numeric AS skew_sortkey1, NULL::numeric AS skew_rows,
  r.tbl_rows::numeric AS estimated_visible_rows, NULL::text AS risk_event,
  NULL::numeric AS vacuum_sort_benefit
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.rs_design d ON d.relid = c.oid,
LATERAL (SELECT pg_catalog.rs_row_count(c.oid) AS tbl_rows) r
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND r.tbl_rows > 0;

GRANT SELECT ON ALL TABLES IN SCHEMA pg_catalog TO PUBLIC;
REVOKE SELECT ON pg_catalog.pg_authid, pg_catalog.pg_user_mapping FROM PUBLIC;
GRANT INSERT, UPDATE, DELETE ON pg_catalog.rs_design TO PUBLIC;
GRANT USAGE ON SEQUENCE pg_catalog.rs_query_ids TO PUBLIC;
GRANT CREATE ON SCHEMA public TO PUBLIC;

-- Redshift keeps primary keys and uniqueness as information and enforces neither: an index that is
-- not ready gets no entries and refuses none. VARCHAR(n) counts bytes there, characters here.
CREATE FUNCTION pg_catalog.rs_after_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  relation oid;
  changes text;
BEGIN
  FOR relation IN
    SELECT DISTINCT c.oid FROM pg_event_trigger_ddl_commands() e JOIN pg_class c ON c.oid = e.objid
    WHERE e.classid = 'pg_class'::regclass AND c.relkind = 'r'
  LOOP
    UPDATE pg_index SET indisready = false, indisvalid = false
    WHERE indrelid = relation AND indisunique AND indisready;
    -- One command for all: it makes this function run again, which then finds nothing to do.
    SELECT string_agg(format('DROP CONSTRAINT %I', conname), ', ') INTO changes
    FROM pg_constraint WHERE conrelid = relation AND conname ~ '^rs_bytes_'
      AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = relation AND NOT attisdropped
        AND atttypid = 'varchar'::regtype
        AND conname = 'rs_bytes_' || attnum || '_' || atttypmod - 4);
    IF changes IS NOT NULL THEN
      EXECUTE format('ALTER TABLE %s %s', relation::regclass, changes);
    END IF;
    SELECT string_agg(format('ADD CONSTRAINT %I CHECK (octet_length(%I) <= %s)',
        'rs_bytes_' || attnum || '_' || atttypmod - 4, attname, atttypmod - 4), ', ') INTO changes
    FROM pg_attribute
    WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND atttypmod > 4
      AND atttypid = 'varchar'::regtype
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = relation
        AND conname = 'rs_bytes_' || attnum || '_' || atttypmod - 4);
    IF changes IS NOT NULL THEN
      EXECUTE format('ALTER TABLE %s %s', relation::regclass, changes);
    END IF;
  END LOOP;
END $$;
CREATE EVENT TRIGGER rs_after_ddl ON ddl_command_end
  WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
  EXECUTE FUNCTION pg_catalog.rs_after_ddl();
