"""Alembic's folder. Released versions are never changed; a change of the schema is a new version."""
