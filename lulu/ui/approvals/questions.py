"""An agent's questions (AskUserQuestion) as a form: its options, several where it allows that, and free text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from lulu.errors import InputError
from lulu.model.actors import Actor
from lulu.runtime import Runtime
from lulu.store import Approval
from lulu.text.labels import safe_label
from lulu.ui import alerts
from lulu.ui.approvals import decide
from lulu.ui.content import blocks
from lulu.ui.state import is_on, picked, typed

TOOL = "AskUserQuestion"
#: Takes each question with its answer below it, as one text.
Late = Callable[[str], None]
#: Characters of an option and its description that are shown.
_LIMIT = 2_000
#: What the agent reads when nobody answers.
SKIPPED = "The user does not want to answer this now. Go on with what you think is best, or stop and say what you need."


@dataclass(frozen=True, kw_only=True)
class Option:
    """One answer to choose."""

    label: str
    description: str
    #: What the person compares: a drawing, code or text of several lines.
    preview: str = ""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question."""

    text: str
    header: str
    options: tuple[Option, ...]
    #: Whether several options may be chosen.
    is_multiple: bool


def read(tool_input: Mapping[str, object]) -> list[Question]:
    """The questions of a request; nothing where they are not of a shape that this version knows."""
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
    """Draw every question, for a reader."""
    for number, question in enumerate(questions):
        with st.container(key=f"question_{approval.id}_{number}"):
            if question.header:
                st.caption(safe_label(question.header))
            blocks.question(question.text)
            for option in question.options:
                st.markdown(f"- {safe_label(option.label, _LIMIT)} :gray[{safe_label(option.description, _LIMIT)}]")
            _show_previews(question, f"{approval.id}_{number}")


def show_answered(questions: list[Question], answers: Mapping[str, object], *, key: str) -> None:
    """Draw every question with what was answered: the options that were chosen, and what was said in other words."""
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
    """The options that were chosen, and then what was said in own words: a list of both, or one text.

    Of a single choice the text is one option or own words. Of several it is the chosen options in their order, then own
    words, with commas between (``joined``).
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
    """Options and own words as the one text that the tool takes. ``answered`` gives the same values back.

    Own words that begin like an option are put in quotation marks: nobody could tell one from the other.
    """
    parts = [*chosen, *([words] if words else [])]
    text = ", ".join(parts)
    return text if answered(question, text) == parts else ", ".join([*chosen, _QUOTES[0] + words + _QUOTES[1]])


_QUOTES = "“”"


def _show_previews(question: Question, key: str) -> None:
    """Draw the options' previews side by side; on a phone one below the other."""
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


def show_form(
    lulu: Runtime, actor: Actor, approval: Approval, questions: list[Question], *, late: Late | None = None
) -> None:
    """Draw the form, for the owner. ``late`` takes the answer where nobody can be given it any more."""
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
                args=(lulu, actor, approval, questions, late),
            )
            if late is None:
                st.form_submit_button("Skip", key=f"skip_{approval.id}", on_click=_skip, args=(lulu, actor, approval))
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


def _answer(lulu: Runtime, actor: Actor, approval: Approval, questions: list[Question], late: Late | None) -> None:
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
    decide.answer(lulu, actor, approval, approve=True, updated_input={**approval.tool_input, "answers": answers})


def _answer_to(question: Question, key: str) -> str:
    """What was chosen and typed, as the one text that the tool takes."""
    words = typed(f"words_{key}").strip()
    if question.is_multiple:
        chosen = [option.label for place, option in enumerate(question.options) if is_on(f"choice_{key}_{place}")]
        return joined(question, chosen, words)
    place = picked(f"choice_{key}")
    return words or (question.options[place].label if isinstance(place, int) else "")


def _refuse_nothing(instead: str) -> None:
    raise InputError("Nothing is answered yet.", next_step=f"Choose or type an answer, or {instead}.")


def _skip(lulu: Runtime, actor: Actor, approval: Approval) -> None:
    decide.answer(lulu, actor, approval, approve=False, message=SKIPPED)
