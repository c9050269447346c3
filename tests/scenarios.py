"""What the scripted Messages API answers: small functions, picked by ``SCN:name`` in the newest prompt of a request.

Nothing is remembered between requests but how often a scenario was asked for: a step is the number of the model's
messages after the prompt, so any number of sessions and sub-agents can share one API.
"""

from __future__ import annotations

import json
import re
import shlex
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Block = dict[str, Any]

_MARKER = re.compile(r"SCN:([\w-]+)")
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
#: Texts in the user's name that are no prompt of a person.
_NO_PROMPT = (
    "[Request interrupted by user",
    "<task-notification>",
    "<local-command",
    "Your response above was cut off",
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where a session stands."""

    #: The scenario's name, as the prompt has it.
    name: str
    #: How many messages of the model came after the prompt.
    number: int
    #: The newest prompt of a person, or of an agent to its sub-agent.
    prompt: str
    #: What the last tool answered.
    last_result: str
    #: How often this session has asked for this scenario, this time included.
    attempt: int
    #: The request's body.
    body: dict[str, Any]

    def argument(self, name: str, default: str) -> str:
        """``NAME=value`` in the prompt."""
        found = re.search(rf"\b{name}=(\S+)", self.prompt)
        return found[1] if found else default


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the API does."""

    blocks: list[Block] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    #: Seconds between two pieces of the stream, and characters in each.
    delay: float = 0.001
    piece: int = 16
    #: An HTTP error, with its headers, in place of an answer.
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    #: Pieces after which the connection breaks, or falls silent.
    cut_after: int | None = None
    stall_after: int | None = None
    #: Says nothing at all.
    hangs: bool = False
    #: Ends the first block with an ``error`` event.
    breaks: bool = False


Scenario = Callable[[Step], Reply]
#: Every scenario by its name.
SCENARIOS: dict[str, Scenario] = {}

_HTTP_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    """Registers a scenario."""

    def register(function: Scenario) -> Scenario:
        SCENARIOS[name] = function
        return function

    return register


def reply_to(body: dict[str, Any], count: Callable[[str], int]) -> Reply:
    """The answer to a request. ``count`` gives how often this session has asked for a scenario."""
    prompt, number = newest_prompt(body)
    found = _MARKER.findall(prompt)
    name = found[-1] if found else "default"
    play = SCENARIOS.get(name) or (_http if name.startswith("http") else SCENARIOS["default"])
    step = Step(name=name, number=number, prompt=prompt, last_result=_last_result(body), attempt=count(name), body=body)
    return play(step)


def newest_prompt(body: dict[str, Any]) -> tuple[str, int]:
    """The newest real prompt, and how many messages of the model follow it."""
    messages = body.get("messages") or []
    answers = 0
    for message in reversed(messages):
        if message["role"] == "assistant":
            answers += 1
        elif message["role"] == "user" and (prompt := _prompt_in(message)):
            return prompt, answers
    return "", answers


def error_type(status: int) -> str:
    """The API's word for an HTTP status."""
    return _HTTP_ERRORS.get(status, "api_error")


def say(text: str) -> Block:
    """A text block."""
    return {"type": "text", "text": text}


def think(text: str) -> Block:
    """A thinking block."""
    return {"type": "thinking", "thinking": text, "signature": "signed"}


def call(name: str, **tool_input: Any) -> Block:
    """A tool call."""
    return {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:20]}", "name": name, "input": tool_input}


def text_of(content: object) -> str:
    """The text in a message's content."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n".join(block.get("text", "") for block in blocks if block.get("type") == "text")


def _prompt_in(message: dict[str, Any]) -> str:
    content = message["content"]
    texts = [content] if isinstance(content, str) else [b.get("text", "") for b in content if b.get("type") == "text"]
    stripped = (_REMINDER.sub("", text).strip() for text in texts)
    return "\n".join(text for text in stripped if text and not text.startswith(_NO_PROMPT))


def _last_result(body: dict[str, Any]) -> str:
    for message in reversed(body.get("messages") or []):
        if message["role"] == "user" and isinstance(message["content"], list):
            for block in reversed(message["content"]):
                if block.get("type") == "tool_result":
                    return text_of(block.get("content"))
    return ""


def _in_steps(step: Step, *messages: list[Block]) -> Reply:
    """One message a step; after the last, the last tool's answer is quoted."""
    if step.number < len(messages):
        return Reply(blocks=messages[step.number])
    return Reply(blocks=[say(f"{step.name} is done: {step.last_result[:300]}")])


@scenario("default")
def _default(step: Step) -> Reply:
    return Reply(blocks=[say("The scripted answer.")])


@scenario("bash")
def _bash(step: Step) -> Reply:
    """Writes ``out.txt`` with a command."""
    command = call("Bash", command="echo hello > out.txt", description="Write hello")
    return _in_steps(step, [think("I should run echo."), say("Running the command."), command])


@scenario("run")
def _run(step: Step) -> Reply:
    """COMMAND, with its blanks written as ``_``."""
    command = step.argument("COMMAND", "true").replace("_", " ")
    return _in_steps(step, [call("Bash", command=command, description="Run it")])


@scenario("call")
def _call(step: Step) -> Reply:
    """TOOL with INPUT, which is JSON without blanks."""
    return _in_steps(step, [call(step.argument("TOOL", "Read"), **json.loads(step.argument("INPUT", "{}")))])


@scenario("twice")
def _twice(step: Step) -> Reply:
    """Two commands, one after the other."""
    return _in_steps(step, *([call("Bash", command=f"touch f{n}.txt", description="Touch")] for n in (1, 2)))


@scenario("call0")
def _call_0(step: Step) -> Reply:
    """A command that writes WORD, by the id of every other such call."""
    word = step.argument("WORD", "out")
    return _in_steps(step, [say("Looking."), call("Bash", command=f"echo {word} | tee {word}.txt") | {"id": "call_0"}])


@scenario("parallel")
def _parallel(step: Step) -> Reply:
    """Two commands in one message."""
    return _in_steps(step, [call("Bash", command=f"touch p{n}.txt", description="Touch") for n in (1, 2)])


@scenario("write")
def _write(step: Step) -> Reply:
    """Writes ``hi`` to PATH."""
    return _in_steps(step, [say("Writing."), call("Write", file_path=step.argument("PATH", "hi.txt"), content="hi\n")])


@scenario("edit")
def _edit(step: Step) -> Reply:
    """Reads PATH, then replaces ``hi`` in it with ``ho``."""
    path = step.argument("PATH", "hi.txt")
    return _in_steps(
        step,
        [call("Read", file_path=path)],
        [call("Edit", file_path=path, old_string="hi", new_string="ho")],
    )


@scenario("slow")
def _slow(step: Step) -> Reply:
    """WORDS words, one about every 20 ms."""
    words = int(step.argument("WORDS", "400"))
    return Reply(blocks=[say(" ".join(f"word{n}" for n in range(words)))], piece=8, delay=0.02)


@scenario("think")
def _think(step: Step) -> Reply:
    """Long thinking, then a word."""
    return Reply(blocks=[think(" ".join(f"thought{n}" for n in range(300))), say("Thought.")], delay=0.02)


@scenario("sleep")
def _sleep(step: Step) -> Reply:
    """A command that takes SECONDS. The CLI refuses a bare ``sleep``."""
    seconds = step.argument("SECONDS", "30")
    command = f"python3 -c 'import time; time.sleep({seconds})'; echo slept"
    return _in_steps(step, [call("Bash", command=command, description="Take some time")])


@scenario("ask")
def _ask(step: Step) -> Reply:
    """A question with two choices."""
    options = [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]
    question = {"question": "Which colour?", "header": "Colour", "multiSelect": False, "options": options}
    return _in_steps(step, [call("AskUserQuestion", questions=[question])])


@scenario("plan")
def _plan(step: Step) -> Reply:
    """A plan, written to the file that the CLI named (in plan mode), then put up for approval."""
    named = re.findall(r"/[^\s\"`\\]*/plans/[\w-]+\.md", json.dumps(step.body))
    if not named:
        return _in_steps(step, [call("ExitPlanMode")])
    return _in_steps(step, [call("Write", file_path=named[-1], content="# Plan\n1. Do it\n")], [call("ExitPlanMode")])


@scenario("agent")
def _agent(step: Step) -> Reply:
    """AGENTS sub-agents, which play JOB for SECONDS; what their end wakes plays THEN (``stall`` falls silent)."""
    if step.number > 1 and step.argument("THEN", "") == "stall":
        return _stall(step)
    job = f"SCN:{step.argument('JOB', 'job')} SECONDS={step.argument('SECONDS', '30')}"
    jobs = [
        call("Agent", description="Sub job", prompt=f"{job} COMMAND=touch_p{n}.txt", subagent_type="general-purpose")
        for n in range(int(step.argument("AGENTS", "1")))
    ]
    return _in_steps(step, [say("Delegating."), *jobs])


@scenario("job")
def _job(step: Step) -> Reply:
    """What the sub-agent does."""
    return _in_steps(step, [think("A sub-agent thinks."), call("Bash", command="echo sub", description="Say sub")])


@scenario("background")
def _background(step: Step) -> Reply:
    """A command that goes on for SECONDS after the turn, or until there is a file UNTIL."""
    code = f"import time; time.sleep({step.argument('SECONDS', '0')}); print(6 * 7)"
    command = f"python3 -c '{code}'"
    if until := step.argument("UNTIL", ""):
        command = f"until [ -e {shlex.quote(until)} ]; do sleep 0.1; done; echo 42"
    return _in_steps(step, [call("Bash", command=command, description="Count", run_in_background=True)])


@scenario("tasks")
def _tasks(step: Step) -> Reply:
    """A task, made and begun."""
    return _in_steps(
        step,
        [call("TaskCreate", subject="One", description="The first", activeForm="Doing one")],
        [call("TaskUpdate", taskId="1", status="in_progress")],
    )


@scenario("loop")
def _loop(step: Step) -> Reply:
    """Commands without an end: for limits of turns."""
    return Reply(blocks=[call("Bash", command=f"echo step{step.number}", description="Go on")])


@scenario("costly")
def _costly(step: Step) -> Reply:
    """A turn of two calls that use many tokens."""
    usage = {"input_tokens": 200_000, "output_tokens": 20_000}
    if step.number:
        return Reply(blocks=[say("That was expensive.")], usage=usage)
    return Reply(blocks=[call("Bash", command="echo costly", description="Be costly")], usage=usage)


@scenario("full")
def _full(step: Step) -> Reply:
    """An answer after which the context is as good as full."""
    return Reply(blocks=[say("Full.")], usage={"input_tokens": 985_000, "output_tokens": 10})


@scenario("echo")
def _echo(step: Step) -> Reply:
    """The whole history, as far as it is text, and the kinds of blocks in the prompt."""
    messages = step.body["messages"]
    history = " | ".join(f"{message['role']}: {_REMINDER.sub('', text_of(message['content']))}" for message in messages)
    kinds = [b["type"] for message in messages if isinstance(message["content"], list) for b in message["content"]]
    return Reply(blocks=[say(f"HISTORY {history} KINDS {','.join(kinds)}")])


@scenario("settings")
def _settings(step: Step) -> Reply:
    """What the CLI was told: model, tools, the length of the system prompt."""
    system = text_of(step.body.get("system"))
    tools = ",".join(sorted(tool["name"] for tool in step.body.get("tools") or []))
    return Reply(blocks=[say(f"model={step.body.get('model')} system={len(system)} tools={tools}")])


@scenario("big")
def _big(step: Step) -> Reply:
    """A command with SIZE bytes of output."""
    size = step.argument("SIZE", "3000000")
    return _in_steps(step, [call("Bash", command=f"head -c {size} /dev/zero | tr '\\0' x", description="Be big")])


@scenario("bigtext")
def _big_text(step: Step) -> Reply:
    """An answer of SIZE characters in one line."""
    return Reply(blocks=[say("y" * int(step.argument("SIZE", "1500000")))], piece=65_536)


@scenario("hang")
def _hang(step: Step) -> Reply:
    """No byte ever."""
    return Reply(hangs=True)


@scenario("stall")
def _stall(step: Step) -> Reply:
    """Some words, then silence."""
    return Reply(blocks=[say(" ".join(f"stall{n}" for n in range(50)))], stall_after=10)


@scenario("cut")
def _cut(step: Step) -> Reply:
    """A connection that breaks in mid-stream, every time; ``SCN:cut TIMES=1`` only once."""
    times = int(step.argument("TIMES", "1000000"))
    words = say(" ".join(f"cut{n}" for n in range(50)))
    return Reply(blocks=[words], cut_after=10 if step.attempt <= times else None)


@scenario("broken")
def _broken(step: Step) -> Reply:
    """An ``error`` event in mid-stream, every time; ``SCN:broken TIMES=1`` only once."""
    times = int(step.argument("TIMES", "1000000"))
    return Reply(blocks=[say("Some words before the error.")], breaks=step.attempt <= times)


def _http(step: Step) -> Reply:
    """``SCN:http401`` always fails; ``SCN:http429-2`` fails twice; AFTER is the retry-after header."""
    status, _, times = step.name.removeprefix("http").partition("-")
    if times and step.attempt > int(times):
        return Reply(blocks=[say(f"Answered at attempt {step.attempt}.")])
    after = {"retry-after": step.argument("AFTER", "1")} if status == "429" else {}
    return Reply(status=int(status), headers=after)
