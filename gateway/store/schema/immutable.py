"""Immutable tables, held by the database itself: a trigger refuses every update and delete."""

from collections.abc import Iterator

from sqlalchemy import Connection, event

from gateway.store.schema.columns import Table

_REFUSAL = "rows of this table are immutable"

_POSTGRES_FUNCTION = f"""
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{_REFUSAL}: %', TG_TABLE_NAME; END $$
"""


def immutable_tables() -> list[str]:
    """The names of the tables marked immutable, in alphabetical order."""
    return sorted(name for name, table in Table.metadata.tables.items() if table.info.get("immutable"))


def trigger_statements(dialect: str, tables: list[str]) -> Iterator[str]:
    """The DDL that makes the tables immutable on 'sqlite' or 'postgresql'."""
    if dialect == "postgresql":
        yield _POSTGRES_FUNCTION
        for name in tables:
            yield (
                f'CREATE TRIGGER "{name}_immutable" BEFORE UPDATE OR DELETE ON "{name}" '
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        return
    for name in tables:
        for verb in ("UPDATE", "DELETE"):
            yield (
                f'CREATE TRIGGER "{name}_no_{verb.lower()}" BEFORE {verb} ON "{name}" '
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}: {name}'); END"
            )


@event.listens_for(Table.metadata, "after_create")
def _create_triggers(_target: object, connection: Connection, **_: object) -> None:
    for statement in trigger_statements(connection.dialect.name, immutable_tables()):
        connection.exec_driver_sql(
            statement.replace("%", "%%") if connection.dialect.name == "postgresql" else statement
        )
