#!/bin/sh
# Runs once, on an empty data directory: the metadata database of Airflow and the warehouse, with their own roles.
# hansei_writer is the night; hansei_reader is for analysts and BI, and the night itself grants it what they may see.
set -eu

# The passwords are read by psql itself, so that they stand in no command line.
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv writer_password HANSEI_WRITER_PASSWORD
\getenv reader_password HANSEI_READER_PASSWORD
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE hansei_writer LOGIN PASSWORD :'writer_password';
CREATE ROLE hansei_reader LOGIN PASSWORD :'reader_password';
CREATE DATABASE airflow OWNER airflow TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
CREATE DATABASE hansei OWNER hansei_writer TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
ALTER DATABASE airflow SET timezone = 'UTC';
ALTER DATABASE hansei SET timezone = 'UTC';
REVOKE CONNECT ON DATABASE airflow FROM PUBLIC;
REVOKE CONNECT ON DATABASE hansei FROM PUBLIC;
GRANT CONNECT ON DATABASE hansei TO hansei_reader;
SQL
