"""The time of a session's last activity, and how long its agent has waited for people."""

from __future__ import annotations

from alembic import op

revision = "006"
down_revision = "005"

_STATEMENTS = (
    "ALTER TABLE sessions ADD COLUMN last_activity_at TEXT",
    "ALTER TABLE sessions ADD COLUMN waited_ms REAL",
    # Computed from prompts, ends of turns, requests and answers.
    """
    UPDATE sessions SET last_activity_at = told.at FROM (
        SELECT session_id, max(at) AS at FROM (
            SELECT session_id, replace(created_at, ' ', 'T') AS at FROM conversation_events
            WHERE event_type IN ('user', 'result')
            AND CASE WHEN typeof(payload) = 'text' AND json_valid(payload)
                THEN json_extract(payload, '$.parent') END IS NULL
            UNION ALL
            SELECT session_id, created_at FROM approvals WHERE auto_approved = 0
            UNION ALL
            SELECT session_id, decided_at FROM approvals
            WHERE auto_approved = 0 AND status IN ('approved', 'denied') AND decided_at IS NOT NULL
        ) WHERE at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-*' GROUP BY session_id
    ) AS told WHERE told.session_id = sessions.id AND told.at > replace(sessions.created_at, ' ', 'T')
    """,
    "DROP INDEX idx_sessions_created",
    "DROP INDEX idx_sessions_folder",
    # A row of a program that does not write the activity sorts by its creation.
    "CREATE INDEX idx_sessions_activity ON sessions(replace(coalesce(last_activity_at, created_at), ' ', 'T'))",
    "CREATE INDEX idx_sessions_folder "
    "ON sessions(working_directory, replace(coalesce(last_activity_at, created_at), ' ', 'T'))",
)


def upgrade() -> None:
    """Add the columns, fill the first one, and create the indexes for its order."""
    for statement in _STATEMENTS:
        op.execute(statement)
