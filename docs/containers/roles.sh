# The image of PostgreSQL runs this once, when it makes the database: an owner who migrates, and a login of the programs,
# which has what cab_app may do and nothing else. Neither is a superuser.
set -eu
psql --no-psqlrc --set=ON_ERROR_STOP=1 --username=postgres --dbname=postgres \
  --set=owner="$(cat /run/secrets/owner_password)" \
  --set=service="$(cat /run/secrets/service_password)" <<'SQL'
CREATE ROLE cab_app NOLOGIN;
CREATE ROLE cab_owner LOGIN PASSWORD :'owner';
CREATE ROLE cab_service LOGIN PASSWORD :'service' IN ROLE cab_app;
CREATE DATABASE cab OWNER cab_owner;
REVOKE ALL ON DATABASE cab FROM PUBLIC;
GRANT CONNECT ON DATABASE cab TO cab_app;
SQL
