"""Alembic's folder: released versions are never edited, only followed."""
