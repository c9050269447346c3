"""The owner's answers about folders, and the sessions with a prompt that waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from lulu.model.sessions import SessionId
from lulu.model.timestamps import parse_time
from lulu.store import rows
from lulu.store.database import Reader, Writer
from lulu.store.write import folders
from lulu.text.unicode import as_unicode
from lulu.trust import answers
from lulu.trust.answers import Answer, Asked


@dataclass(frozen=True, kw_only=True)
class FolderQuestion:
    """The question that a session's next prompt waits for."""

    session_id: SessionId
    asked: list[Asked]
    asked_at: datetime


class Folders:
    """Reads questions and answers about folders, and asks questions."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._query = reader.query
        self._submit = writer.submit

    def answers(self) -> dict[str, Answer]:
        """Return every answer by its folder."""
        found = self._query("SELECT * FROM folders ORDER BY folder")
        return {row["folder"]: _answer(row) for row in found}

    def questions(self) -> list[FolderQuestion]:
        """Return every open question, oldest first."""
        return [_question(row) for row in self._query("SELECT * FROM folder_questions ORDER BY asked_at, rowid")]

    def question(self, session_id: str) -> FolderQuestion | None:
        """Return the question that this session waits for; None if it waits for none."""
        found = self._query("SELECT * FROM folder_questions WHERE session_id = :id", id=session_id)
        return _question(found[0]) if found else None

    def ask(self, session_id: str, asked: Sequence[Asked]) -> Future[None]:
        """Make the session's next prompt wait for the owner's answer about these folders."""
        return self._submit(lambda tx: folders.ask(tx, session_id, asked))

    def end_question(self, session_id: str) -> Future[bool]:
        """End the question about a session's folder. Returns whether there was one."""
        return self._submit(lambda tx: folders.end(tx, session_id))


def _answer(row: rows.Row) -> Answer:
    return Answer(
        folder=str(row["folder"]),
        trusted=row["trusted"] == 1,
        entries={name: str(value) for name, value in rows.parse_object(row["entries"]).items()},
        answered_by=as_unicode(str(row["answered_by"])),
        answered_at=parse_time(row["answered_at"]),
    )


def _question(row: rows.Row) -> FolderQuestion:
    return FolderQuestion(
        session_id=SessionId(str(row["session_id"])),
        asked=answers.decode(str(row["question"])),
        asked_at=parse_time(row["asked_at"]),
    )
