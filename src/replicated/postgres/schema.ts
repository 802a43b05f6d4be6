// The tables and functions of the log in PostgreSQL.
//
// A record has a number and, since a number can come back when a transaction is rolled back or a server has lost records, a tag
// at random: both together are never the same for two records. The row of an arena is locked from an append to the end of its transaction. So records are numbered without gaps, and whoever
// sees a record sees all before it.

/** The schema that all lies in. It has the version of the tables in its name, so that clients of two versions can be at work. */
export const SCHEMA = 'buddy_1';

/** One statement that makes what is not there. Several processes may run it at once. */
export const INSTALL = `
do $install$
begin
  perform pg_advisory_xact_lock(hashtext('${SCHEMA}'));
  perform set_config('client_min_messages', 'warning', true);
  create schema if not exists ${SCHEMA};
  create table if not exists ${SCHEMA}.arena (
    name text primary key,
    head bigint not null,
    time bigint not null
  ) with (fillfactor = 50);
  create table if not exists ${SCHEMA}.record (
    arena text,
    n bigint,
    tag bigint not null,
    time bigint not null,
    data text not null,
    primary key (arena, n)
  );
  create table if not exists ${SCHEMA}.snapshot (
    arena text primary key,
    n bigint not null,
    tag bigint not null,
    number bigint not null,
    data text not null
  );

  -- Appends a record, and returns those from the one at after_n on: the first without its data, and the new one, too.
  create or replace function ${SCHEMA}.append(to_arena text, new_data text, after_n bigint)
  returns table (n bigint, tag bigint, "time" bigint, data text) language plpgsql as $append$
  #variable_conflict use_column
  declare
    new_n bigint;
    new_time bigint;
  begin
    if after_n is null then
      insert into ${SCHEMA}.arena values (to_arena, 0, 0) on conflict do nothing;
    end if;
    update ${SCHEMA}.arena as a
      set head = a.head + 1,
          time = greatest(a.time, floor(extract(epoch from clock_timestamp()) * 1000)::bigint)
      where a.name = to_arena
      returning a.head, a.time into new_n, new_time;
    if not found then
      return;
    end if;
    insert into ${SCHEMA}.record values (to_arena, new_n, floor(random() * 2 ^ 53)::bigint, new_time, new_data);
    return query
      select r.n, r.tag, r.time, case when r.n in (after_n, new_n) then null else r.data end
      from ${SCHEMA}.record as r
      where r.arena = to_arena and r.n >= coalesce(after_n, new_n)
      order by r.n;
  end
  $append$;

  -- Saves a snapshot of a larger number than the one that is there, and deletes the records before that.
  create or replace function ${SCHEMA}.save(
    of_arena text, at_n bigint, at_tag bigint, new_number bigint, new_data text
  ) returns boolean language plpgsql as $save$
  declare
    replaced bigint;
  begin
    perform 1 from ${SCHEMA}.record as r where r.arena = of_arena and r.n = at_n and r.tag = at_tag;
    if not found then
      return false;
    end if;
    select s.n into replaced from ${SCHEMA}.snapshot as s where s.arena = of_arena for update;
    insert into ${SCHEMA}.snapshot as s values (of_arena, at_n, at_tag, new_number, new_data)
      on conflict (arena) do update
      set n = excluded.n, tag = excluded.tag, number = excluded.number, data = excluded.data
      where s.number < excluded.number;
    if not found then
      return false;
    end if;
    delete from ${SCHEMA}.record as r where r.arena = of_arena and r.n < replaced;
    return true;
  end
  $save$;
end
$install$`;
