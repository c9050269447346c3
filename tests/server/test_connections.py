"""The table of connections: who has to go, who never does, and for how long each may wait."""

from __future__ import annotations

import asyncio
import logging
import resource
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from lulu.access.guard import CONNECTION, Admission
from lulu.model.actors import Role
from lulu.server.connections.table import HEAD_SECONDS, SHUT_OUT, SHUT_OUT_SECONDS, Connection, Connections, Limits
from lulu.server.setup import Seldom

OWNER = Admission(role=Role.OWNER, access_ids=(1,))
HERE, THERE = "127.0.0.1", "192.0.2.7"
SMALL = Limits(unjudged=6, of_one_address=4, guests=8, of_one_share=5)


def guest(*shares: int) -> Admission:
    return Admission(role=Role.GUEST, access_ids=shares or (7,))


class Server:
    """A table, its clock, and what was closed."""

    def __init__(self, limits: Limits = SMALL, *, shut_to: Callable[[str], bool] = lambda address: False) -> None:
        self.time = 0.0
        self.closed: list[int] = []
        self.table = Connections(limits, shut_to, lambda: self.time)
        self._count = 0

    def open(self, address: str = HERE) -> Connection:
        number = self._count
        self._count += 1
        return self.table.open(address, lambda: self.closed.append(number))

    def later(self, seconds: float) -> list[int]:
        """Which are closed by then."""
        self.time += seconds
        self.table.close_late()
        return self.closed


def ask(connection: Connection, *admissions: Admission | None) -> list[bool]:
    """One request after the other on it; whether there was room for who asked."""
    answers: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["by"] is not None:
            answers.append(scope[CONNECTION].let_in(scope["by"]))

    for admission in admissions:
        # Nothing is sent or received.
        asyncio.run(connection.around(app)({"by": admission}, None, None))  # type: ignore[arg-type]
    return answers


class Open:
    """A request that is still served."""

    def __init__(self, connection: Connection, admission: Admission | None) -> None:
        self.loop = asyncio.new_event_loop()
        self.had_room: bool | None = None
        self._end = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if admission is not None:
                self.had_room = scope[CONNECTION].let_in(admission)
            await self._end.wait()

        self._task: asyncio.Task[None] = self.loop.create_task(connection.around(app)({}, None, None))  # type: ignore[arg-type]  # as above
        self.loop.run_until_complete(asyncio.sleep(0))

    def end(self) -> None:
        self._end.set()
        self.loop.run_until_complete(self._task)
        self.loop.close()


@pytest.fixture
def serving() -> object:
    opened: list[Open] = []

    def serve(connection: Connection, admission: Admission | None) -> Open:
        opened.append(Open(connection, admission))
        return opened[-1]

    yield serve
    for one in opened:
        if not one.loop.is_closed():
            one.end()


# --- Who has to go -----------------------------------------------------------------------------------------------


def test_where_there_is_no_room_the_oldest_unjudged_one_is_closed() -> None:
    server = Server()
    for number in range(6):
        server.open(f"192.0.2.{number}")
        server.time += 0.1

    server.open(THERE)
    server.open(THERE)

    assert server.closed == [0, 1]


def test_of_one_address_fewer_may_be_unjudged_and_its_own_oldest_goes() -> None:
    server = Server()
    server.open("192.0.2.1")
    for _ in range(6):
        server.open(THERE)

    assert server.closed == [1, 2]


@pytest.mark.parametrize("admission", [OWNER, guest()])
def test_one_that_was_let_in_is_never_closed_for_a_stranger(
    admission: Admission, serving: Callable[[Connection, Admission | None], Open]
) -> None:
    server = Server()
    served, resting = server.open(), server.open()
    serving(served, admission)
    ask(resting, admission)

    for _ in range(100):
        server.open()

    assert not {0, 1} & set(server.closed)
    assert len(server.closed) == 96


def test_a_limit_by_address_counts_unjudged_ones_only(serving: Callable[[Connection, Admission | None], Open]) -> None:
    server = Server()
    for _ in range(50):
        serving(server.open(THERE), OWNER)

    for _ in range(4):
        server.open(THERE)

    assert server.closed == []


def test_one_that_was_refused_is_unjudged_again() -> None:
    server = Server()
    ask(server.open(), OWNER, None)
    ask(server.open(), None)
    for _ in range(3):
        server.open()

    assert server.closed == [0]


def test_one_that_went_by_itself_takes_no_room() -> None:
    server = Server()
    for _ in range(50):
        server.open().lost()
    for _ in range(4):
        server.open()

    assert server.closed == []


def test_other_computers_that_are_shut_out_have_sixteen_for_two_seconds() -> None:
    server = Server(shut_to=lambda address: address == THERE)
    here = server.open(HERE)
    for _ in range(SHUT_OUT + 2):
        server.open(THERE)

    assert server.closed == [1, 2]
    assert set(server.later(SHUT_OUT_SECONDS)) == set(range(1, SHUT_OUT + 3))
    ask(here, OWNER)


# --- For how long ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [[], [None], [OWNER], [guest()], [OWNER, None]],
    ids=["new", "refused", "owner", "guest", "refused now"],
)
def test_a_head_may_take_ten_seconds_and_no_longer(before: list[Admission | None]) -> None:
    server = Server()
    ask(server.open(), *before)

    assert server.later(HEAD_SECONDS - 0.1) == []
    assert server.later(0.1) == [0]


@pytest.mark.parametrize("admission", [OWNER, guest()])
def test_a_request_that_was_let_in_may_take_as_long_as_it_does(
    admission: Admission, serving: Callable[[Connection, Admission | None], Open]
) -> None:
    server = Server()
    request = serving(server.open(), admission)

    assert server.later(3_600) == []

    request.end()
    assert server.later(HEAD_SECONDS - 0.1) == []
    assert server.later(0.1) == [0]


def test_a_request_of_nobody_ends_with_the_time_for_its_head(
    serving: Callable[[Connection, Admission | None], Open],
) -> None:
    server = Server()
    serving(server.open(), None)

    assert server.later(HEAD_SECONDS) == [0]


def test_the_next_request_of_a_pipeline_is_not_over_with_the_one_before(
    serving: Callable[[Connection, Admission | None], Open],
) -> None:
    server = Server()
    connection = server.open()
    first, second = serving(connection, OWNER), serving(connection, OWNER)
    first.end()

    assert server.later(3_600) == []
    second.end()
    assert server.later(HEAD_SECONDS) == [0]


# --- Guests ------------------------------------------------------------------------------------------------------


def test_a_share_holds_so_many_and_then_the_newest_is_refused(
    serving: Callable[[Connection, Admission | None], Open],
) -> None:
    server = Server()
    requests = [serving(server.open(), guest()) for _ in range(5)]
    newest = server.open()

    assert [request.had_room for request in requests] == [True] * 5
    assert ask(newest, guest()) == [False]
    assert ask(newest, OWNER) == [True]
    requests[0].end()
    assert ask(newest, guest()) == [True]
    assert server.closed == [0]


def test_all_guests_together_have_a_limit_too(serving: Callable[[Connection, Admission | None], Open]) -> None:
    server = Server()
    requests = [serving(server.open(), guest(share)) for share in range(9)]

    assert [request.had_room for request in requests] == [True] * 8 + [False]


def test_who_has_two_links_has_the_places_of_both(serving: Callable[[Connection, Admission | None], Open]) -> None:
    server = Server()
    requests = [serving(server.open(), guest(7, 9)) for _ in range(9)]

    assert [request.had_room for request in requests] == [True] * 8 + [False]


def test_a_proxy_s_connection_counts_for_whom_it_serves() -> None:
    server = Server()
    proxied = [server.open() for _ in range(40)]
    for one in proxied:
        assert ask(one, guest(7), OWNER, guest(9), None, OWNER) == [True] * 4

    assert ask(server.open(), guest(7)) == [True]


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["owner", "guest", "nobody", "lost", "open", "late"]))))
def test_whatever_happens_the_table_keeps_its_limits(steps: list[tuple[int, str]]) -> None:
    server = Server()
    connections: list[Connection] = []
    admissions = {"owner": OWNER, "guest": guest(7, 9), "nobody": None}
    for number, step in steps:
        if step == "open" or not connections:
            connections.append(server.open(f"192.0.2.{number % 3}"))
        elif step == "late":
            server.later(number)
        elif step == "lost":
            connections[number % len(connections)].lost()
        else:
            ask(connections[number % len(connections)], admissions[step])

        unjudged = [
            one
            for place, one in enumerate(connections)
            if one.role is Role.NOBODY and not one.is_over and place not in server.closed
        ]
        guests = [one for one in connections if one.share is not None]
        assert len(unjudged) <= SMALL.unjudged
        assert len(guests) <= SMALL.guests
        assert not [one for one in guests if one.is_over]
    assert len(server.closed) == len(set(server.closed))


# --- Files and the log -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("files", [256, 512, 1_024, 4_096, 65_536])
def test_the_limits_leave_files_for_the_owner_and_agents(files: int) -> None:
    limits = Limits.within(files)

    assert limits.unjudged + SHUT_OUT + 2 * limits.guests <= files * 4 // 5
    assert limits.of_one_share <= limits.guests


def test_twenty_guests_with_ten_connections_each_fit_into_the_usual_number_of_files() -> None:
    limits = Limits.within(1_024)

    assert min(limits.of_one_address, limits.of_one_share, limits.guests) >= 200


def test_the_soft_limit_of_files_is_raised_to_the_hard_one() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = min(hard, 4_000) if hard != resource.RLIM_INFINITY else 4_000
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (100, {most}))\n"
        "from lulu.server.connections.table import raise_file_limit\n"
        "assert (raise_file_limit(), raise_file_limit()) == (resource.getrlimit(resource.RLIMIT_NOFILE)[0],) * 2\n"
        "assert resource.getrlimit(resource.RLIMIT_NOFILE) == "
        f"({most}, {most})"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_what_comes_again_and_again_is_logged_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    logger = logging.getLogger("lulu.test.seldom")
    logger.addFilter(Seldom(lambda: now[0]))
    for moment in range(3_000):
        now[0] = moment / 1_000
        logger.warning("no file for number %s", moment)
        try:
            raise OSError(24, f"Too many open files ({moment})")
        except OSError:
            logger.exception("accept failed\nsocket %d", moment)

    told = [record.getMessage() for record in caplog.records]
    assert told[0] == "no file for number 0"
    assert told[2] == "no file for number 1000 (and 999 more like it)"
    assert len(told) == 6


#: Loggers that somebody has made, and whether they are kept to once a second on the server and with guests' pages.
LOGGERS = {
    "streamlit.runtime.app_session": (True, True),
    "streamlit.web.server.starlette.starlette_websocket": (True, True),
    "uvicorn.error": (True, True),
    "lulu.server.guests.proxy": (True, True),
    "lulu.agent.worker": (False, True),
    "streamlitish": (False, True),
    # Made after that.
    "lulu.ui.later": (False, True),
}


@pytest.mark.parametrize("is_of_guests", [False, True], ids=["server", "guests"])
def test_what_others_can_cause_is_logged_seldom(is_of_guests: bool) -> None:
    code = (
        "import logging, streamlit.runtime.app_session\n"
        "from lulu.server.setup import LOUD, Seldom, quieten\n"
        f"for name in {list(LOGGERS)[:-1]}: logging.getLogger(name)\n"
        f"for _ in range(2): quieten({'' if is_of_guests else '*LOUD'})\n"
        f"for name in {list(LOGGERS)}: print(sum(isinstance(one, Seldom) for one in logging.getLogger(name).filters))\n"
    )

    told = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True).stdout

    assert told.split() == [str(int(seldom[is_of_guests])) for seldom in LOGGERS.values()]
