"""Every page, opened by everybody who is not the owner: a guest sees the shared session, nobody sees nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from lulu.errors import Forbidden
from lulu.model import events
from lulu.model.actors import LULU, NOBODY, Actor, Role
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.store import ShareOptions
from lulu.ui import identity, navigation
from lulu.ui.alerts import ENDED
from tests.support import ROOT
from tests.ui.conftest import OWNER, OpenPage
from tests.ui.support import links, rows, text_of

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
#: The only page that is drawn for somebody else.
WATCH = "watch"
CLOSED = [page for page in PAGES if page != WATCH]

NewSession = Callable[..., SessionId]
AsActor = Callable[[Actor], None]


@pytest.fixture
def guest(lulu: Runtime, new_session: NewSession) -> Actor:
    """Somebody with a link to one of two sessions; the other holds a secret."""
    shared, other = new_session("The walrus that is shared"), new_session("The narwhal that is not")
    lulu.store.events.append(shared, [events.User(text="About a walrus"), events.Text(content="A walrus it is.")])
    lulu.store.events.append(other, [events.User(text="About a narwhal"), events.Text(content="A narwhal it is.")])
    made = lulu.store.access.share(LULU, shared, "a" * 64, expires_at=None, options=ShareOptions(), label="Ann")
    return Actor(role=Role.GUEST, name="Ann", access_id=made.id, session_id=shared)


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_nothing(
    open_page: OpenPage, new_session: NewSession, as_actor: AsActor, guest: Actor, page: str
) -> None:
    as_actor(OWNER if page != WATCH else guest)
    app = open_page(page, id=str(guest.session_id))
    as_actor(NOBODY)

    app.run()

    assert text_of(app).splitlines() == [ENDED, "This link has ended"]
    assert links(app) == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("query", [{"q": "narwhal"}, {"id": "the other"}, {}], ids=str)
def test_a_guest_sees_the_shared_session_at_every_address(
    open_page: OpenPage, lulu: Runtime, as_actor: AsActor, guest: Actor, page: str, query: dict[str, str]
) -> None:
    (other,) = {session.id for session in lulu.store.sessions.latest()} - {guest.session_id}
    as_actor(OWNER if page != WATCH else guest)
    app = open_page(page, **({"id": str(other)} if "id" in query else query))
    as_actor(guest)

    app.run()

    assert "A walrus it is." in text_of(app)
    assert "narwhal" not in text_of(app)
    assert (links(app), rows(app)) == ([], [])
    assert [*app.chat_input, *app.text_input, *app.selectbox, *app.button] == []


@pytest.mark.parametrize("page", CLOSED)
@pytest.mark.parametrize("role", [Role.GUEST, Role.NOBODY])
def test_a_page_that_is_run_for_another_all_the_same_draws_nothing(
    as_actor: AsActor, guest: Actor, page: str, role: Role
) -> None:
    as_actor(guest if role is Role.GUEST else NOBODY)
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=60)
    app.query_params["id"] = str(guest.session_id)
    app.query_params["q"] = "narwhal"

    app.run()

    (refusal,) = app.exception
    assert "Only Lulu's owner can do this." in refusal.message
    assert len(app.main) == 1
    assert len(app.sidebar) == 0


@pytest.mark.parametrize("page", CLOSED)
def test_an_owner_is_shown_each_of_these_pages(open_page: OpenPage, guest: Actor, page: str) -> None:
    app = open_page(page, id=str(guest.session_id))

    assert not app.exception
    assert "Only Lulu's owner" not in text_of(app)
    assert len(rows(app)) == 2


@pytest.mark.parametrize("role", [Role.GUEST, Role.NOBODY])
def test_a_part_of_a_page_asks_again_in_every_run(as_actor: AsActor, role: Role) -> None:
    drawn: list[str] = []
    part = identity.owner_only(drawn.append)
    as_actor(OWNER)
    part("for the owner")
    as_actor(Actor(role=role, name="a device that was removed"))

    with pytest.raises(Forbidden):
        part("for nobody else")

    assert drawn == ["for the owner"]


def test_who_may_open_what() -> None:
    guest = Actor(role=Role.GUEST, name="Ann", access_id=1, session_id="x")

    assert [len(navigation.pages_for(actor)) for actor in (NOBODY, guest, OWNER)] == [0, 1, len(CLOSED)]


def test_a_guest_is_told_what_the_agent_does_without_its_secrets(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession, as_actor: AsActor
) -> None:
    key = "ghp_" + "aB3d" * 9
    shared = new_session("The walrus", status=SessionStatus.RUNNING)
    call = events.ToolUse(id="t1", name="Bash", input={"command": f"push --with {key}"})
    lulu.store.events.append(shared, [events.User(text="Push it"), call])
    made = lulu.store.access.share(LULU, shared, "b" * 64, expires_at=None, options=ShareOptions(), label="Ann")
    as_actor(Actor(role=Role.GUEST, name="Ann", access_id=made.id, session_id=shared))

    at_work = open_page(WATCH, id=str(shared))
    assert lulu.store.sessions.move(shared, SessionStatus.WAITING)
    waiting = open_page(WATCH, id=str(shared))

    assert "Bash push --with [github token hidden]" in parts(at_work)
    assert key not in parts(at_work)
    assert '"newest"' in parts(at_work)
    assert "Waits for the owner" in parts(waiting)
    assert "Waits for you" not in parts(waiting)


def parts(app: AppTest) -> str:
    """What the page's components are told."""
    return "\n".join(element.proto.json for element in app.get("bidi_component"))
