// duckdb.mjs CSV: seconds of the questions of bench/questions.c in DuckDB (a table in memory, two threads, results
// fetched), the median of seven after one that warms up. Wants @duckdb/node-api (npm) where it runs.
import { DuckDBInstance } from "@duckdb/node-api";

const turns = 7;
const where = "from t where age >= 30 and pgr < 5000 group by";
const four = 'count(*), sum(age), sum("months"), sum(pgr), sum(size)';
const questions = [
  ["n_by_centre", `select centre, count(*) ${where} centre`],
  ["n_by_subtype", `select subtype, count(*) ${where} subtype`],
  ["months_by_centre", `select centre, count(*), sum("months") ${where} centre`],
  ["months_by_subtype", `select subtype, count(*), sum("months") ${where} subtype`],
  ["four_by_centre", `select centre, ${four} ${where} centre`],
  ["four_by_subtype", `select subtype, ${four} ${where} subtype`],
];

const database = await (await DuckDBInstance.create(":memory:", { threads: "2" })).connect();
// Categories as ENUM: one byte, as ours.
await database.run(`create table raw as select * from read_csv('${process.argv[2]}', header = true)`);
for (const name of ["centre", "subtype"])
  await database.run(`create type ${name}_levels as enum (select distinct ${name} from raw order by 1)`);
await database.run(`create table t as select centre::centre_levels centre, subtype::subtype_levels subtype,
  cast(age as tinyint) age, cast("months" as double) "months", cast(pgr as double) pgr, cast(size as double) size from raw`);
await database.run("drop table raw");
for (const [name, sql] of questions) {
  const seconds = [];
  for (let turn = 0; turn <= turns; turn++) {
    const start = process.hrtime.bigint();
    const reader = await database.runAndReadAll(sql);
    if (reader.currentRowCount === 0) throw new Error(`${name}: no rows`);
    if (turn > 0) seconds.push(Number(process.hrtime.bigint() - start) / 1e9);
  }
  seconds.sort((a, b) => a - b);
  console.log(`${name}\t${seconds[(turns - 1) / 2]}`);
}
