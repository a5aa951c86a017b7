"""The state store on SQLAlchemy Core: SQLite, in SQL that PostgreSQL speaks too. The way in is `store.open_store`."""
