"""An agent's questions (AskUserQuestion) as a form: one or several options, and free text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from lulu.errors import InputError
from lulu.store import Approval
from lulu.text.labels import safe_label
from lulu.ui import alerts
from lulu.ui.approvals import decide
from lulu.ui.content import blocks
from lulu.ui.page_context import PageContext
from lulu.ui.state import is_on, picked, typed

TOOL = "AskUserQuestion"
#: Receives each question with its answer below it, as one text.
Late = Callable[[str], None]
#: Characters of an option or its description that are drawn.
_LIMIT = 2_000
#: The message to the agent if the person skips the questions.
SKIPPED = "The user does not want to answer this now. Go on with what you think is best, or stop and say what you need."


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of a question."""

    label: str
    description: str
    #: Text to compare with other options: a drawing, code, several lines.
    preview: str = ""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question with its options."""

    text: str
    header: str
    options: tuple[Option, ...]
    #: Whether several options may be chosen.
    is_multiple: bool


def read(tool_input: Mapping[str, object]) -> list[Question]:
    """Return the questions of a request; empty if one of them has an unknown shape."""
    found = tool_input.get("questions")
    questions = [_question(item) for item in found] if isinstance(found, list) else []
    known = [question for question in questions if question is not None]
    return known if len(known) == len(questions) else []


def _question(item: object) -> Question | None:
    if not isinstance(item, Mapping) or not isinstance(item.get("question"), str):
        return None
    options = item.get("options") or []
    if not isinstance(options, list) or not all(isinstance(option, Mapping) for option in options):
        return None
    return Question(
        text=str(item["question"]),
        header=str(item.get("header") or ""),
        options=tuple(
            Option(**{name: str(option.get(name) or "") for name in ("label", "description", "preview")})
            for option in options
        ),
        is_multiple=item.get("multiSelect") is True,
    )


def show(approval: Approval, questions: list[Question]) -> None:
    """Draw every question, read-only."""
    for number, question in enumerate(questions):
        with st.container(key=f"question_{approval.id}_{number}"):
            if question.header:
                st.caption(safe_label(question.header))
            blocks.question(question.text)
            for option in question.options:
                st.markdown(f"- {safe_label(option.label, _LIMIT)} :gray[{safe_label(option.description, _LIMIT)}]")
            _show_previews(question, f"{approval.id}_{number}")


def show_answered(questions: list[Question], answers: Mapping[str, object], *, key: str) -> None:
    """Draw every question with its answer: the chosen options and the person's own words."""
    for number, question in enumerate(questions):
        said = answered(question, answers.get(question.text))
        lines = [_option_line(option, is_chosen=option.label in said) for option in question.options]
        known = {option.label for option in question.options}
        lines += [
            _option_line(Option(label=f"“{word}”", description=""), is_chosen=True)
            for word in said
            if word not in known
        ]
        with st.container(key=f"answered_{key}_{number}", gap="small"):
            if question.header:
                st.caption(safe_label(question.header))
            blocks.question(question.text)
            _show_previews(question, f"{key}_{number}")
            st.markdown("  \n".join(lines) or ":gray[Not answered]")


def answered(question: Question, answer: object) -> list[str]:
    """Split an answer into the chosen options, in their order, and the person's own words.

    The answer is a list of them or one text. For a single choice the text is an option or own words. For several
    choices it is the chosen options, then own words, separated by commas: the text that ``joined`` returns.
    """
    if isinstance(answer, list):
        return [str(part) for part in answer]
    if not isinstance(answer, str) or not answer:
        return []
    if not question.is_multiple or any(option.label == answer for option in question.options):
        return [answer]
    chosen, rest = [], str(answer)
    labels = [option.label for option in question.options]
    while found := [label for label in labels if label and f"{rest}, ".startswith(f"{label}, ")]:
        longest = max(found, key=len)
        chosen.append(longest)
        rest = rest[len(longest) + 2 :]
        labels = labels[labels.index(longest) + 1 :]
    if rest.startswith(_QUOTES[0]) and rest.endswith(_QUOTES[1]):
        rest = rest[1:-1]
    return [*chosen, *([rest] if rest else [])]


def joined(question: Question, chosen: list[str], words: str) -> str:
    """Return options and own words as the one text that the tool accepts.

    ``answered`` returns the same values from it. Own words that begin like an option are put in quotation marks,
    because they could not be distinguished from the option.
    """
    parts = [*chosen, *([words] if words else [])]
    text = ", ".join(parts)
    return text if answered(question, text) == parts else ", ".join([*chosen, _QUOTES[0] + words + _QUOTES[1]])


_QUOTES = "“”"


def _show_previews(question: Question, key: str) -> None:
    """Draw the options' previews side by side; on a phone below each other."""
    shown = [(place, option) for place, option in enumerate(question.options) if option.preview.strip()]
    if not shown:
        return
    for (place, option), column in zip(shown, st.columns(min(len(shown), 2)) * len(shown), strict=False):
        with column:
            st.caption(safe_label(option.label, _LIMIT))
            blocks.code(option.preview, key=f"preview_{key}_{place}")


def _option_line(option: Option, *, is_chosen: bool) -> str:
    label, described = safe_label(option.label, _LIMIT), safe_label(option.description, _LIMIT)
    more = f" :small[:gray[{described}]]" if described else ""
    if is_chosen:
        return f":green[:material/check_circle:] **{label}**{more}"
    return f":gray[:material/radio_button_unchecked:] :gray[{label}]{more}"


def show_form(page: PageContext, approval: Approval, questions: list[Question], *, late: Late | None = None) -> None:
    """Draw the form, for the owner. ``late`` receives the answer if the request has expired."""
    with st.form(key=f"questions_{approval.id}", border=False):
        for number, question in enumerate(questions):
            _show_question(question, f"{approval.id}_{number}")
        with st.container(horizontal=True):
            st.form_submit_button(
                "Continue with this answer" if late else "Answer",
                key=f"answer_{approval.id}",
                type="primary",
                icon=":material/send:",
                on_click=_answer,
                args=(page, approval, questions, late),
            )
            if late is None:
                st.form_submit_button("Skip", key=f"skip_{approval.id}", on_click=_skip, args=(page, approval))
    alerts.show_problem(decide.form_place(approval.id))


def _show_question(question: Question, key: str) -> None:
    if question.header:
        st.caption(safe_label(question.header))
    labels = [safe_label(option.label, _LIMIT) for option in question.options]
    captions = [safe_label(option.description, _LIMIT) for option in question.options]
    blocks.question(question.text)
    _show_previews(question, key)
    if question.is_multiple or not question.options:
        for place, label in enumerate(labels):
            said = f"{label} :small[:gray[{captions[place]}]]" if captions[place] else label
            st.checkbox(said, key=f"choice_{key}_{place}")
    else:
        st.radio(
            safe_label(question.text),
            range(len(labels)),
            index=None,
            format_func=lambda place: labels[place],
            captions=captions,
            key=f"choice_{key}",
            label_visibility="collapsed",
        )
    st.text_input(
        "In your own words",
        key=f"words_{key}",
        placeholder="And in your own words" if question.is_multiple else "Or in your own words",
        label_visibility="collapsed",
    )


def _answer(page: PageContext, approval: Approval, questions: list[Question], late: Late | None) -> None:
    answers = {
        question.text: said
        for number, question in enumerate(questions)
        if (said := _answer_to(question, f"{approval.id}_{number}"))
    }
    if not answers:
        instead = "continue without one" if late else "skip the questions"
        alerts.attempt(decide.form_place(approval.id), partial(_refuse_nothing, instead))
        return
    if late is not None:
        late("\n\n".join(f"{text}\n{said}" for text, said in answers.items()))
        return
    decide.answer(page, approval, approve=True, updated_input={**approval.tool_input, "answers": answers})


def _answer_to(question: Question, key: str) -> str:
    """Return what was chosen and typed, as the one text that the tool accepts."""
    words = typed(f"words_{key}").strip()
    if question.is_multiple:
        chosen = [option.label for place, option in enumerate(question.options) if is_on(f"choice_{key}_{place}")]
        return joined(question, chosen, words)
    place = picked(f"choice_{key}")
    return words or (question.options[place].label if isinstance(place, int) else "")


def _refuse_nothing(instead: str) -> None:
    raise InputError("Nothing is answered yet.", next_step=f"Choose or type an answer, or {instead}.")


def _skip(page: PageContext, approval: Approval) -> None:
    decide.answer(page, approval, approve=False, message=SKIPPED)
