"""Which questions a quiz asks: made from a seed, so that the same request gives the same questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from lstm_explain.apps.quiz import frameworks_and_layouts, silent_mistakes, sizes_and_counts, units_and_sharing
from lstm_explain.apps.quiz.question_draft import Sampler
from lstm_explain.core.spec import as_int, validate_seed
from lstm_explain.errors import UsageError, argument
from lstm_explain.topics.result import Maximum, Minimum, Positive, json_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.apps.quiz.question import Level, Question
    from lstm_explain.apps.quiz.question_draft import QuestionGenerator

LEVELS = {
    1: "shapes and counts",
    2: "units and sharing",
    3: "frameworks, layouts and silent mistakes",
}
GENERATORS = tuple(
    maker
    for module in (sizes_and_counts, units_and_sharing, frameworks_and_layouts, silent_mistakes)
    for maker in module.GENERATORS
)
TOPICS = tuple(dict.fromkeys(maker.topic for maker in GENERATORS))
DEFAULT_QUESTIONS, MAX_QUESTIONS = 10, 500
MAX_SIZES = {"samples": 1000, "timesteps": 100, "features": 100, "units": 100}
"""The largest sizes of questions, because each LSTM is run, some of them many times."""
MAX_ATTEMPTS = 12
"""How often a kind of question is drawn in search of a new question, before one is repeated."""


@json_keys("seed level topic questions sizes=fixed_sizes")
class QuizRequest(NamedTuple):
    """Which questions a quiz asks: the same request always gives the same questions."""

    seed: int = 0
    """The seed of the questions."""
    level: Level | None = None
    """The level; None for all levels, rising."""
    topic: str | None = None
    """The topic; None for all topics."""
    questions: Annotated[int, Minimum(1), Maximum(MAX_QUESTIONS)] = DEFAULT_QUESTIONS
    """How many questions there are."""
    sizes: tuple[tuple[str, int], ...] = ()

    @property
    def fixed_sizes(self) -> dict[str, Positive]:
        """Sizes that all questions use if they have them: `samples`, `timesteps`, `features`, `units`. Others are drawn."""
        return dict(self.sizes)


def validate_request(request: QuizRequest) -> QuizRequest:
    """The request, with whole numbers checked.

    Raises:
        UsageError: the level or topic is unknown, no question has both, or a number is out of range.
    """
    count = as_int("questions", request.questions)
    if not 1 <= count <= MAX_QUESTIONS:
        raise UsageError(argument("questions", count), f"a quiz has 1 to {MAX_QUESTIONS} questions")
    if request.level is not None and as_int("level", request.level) not in LEVELS:
        levels = "; ".join(f"{level}: {about}" for level, about in LEVELS.items())
        raise UsageError(argument("level", request.level), f"unknown level. The levels are {levels}")
    for name, size in request.sizes:
        if not 1 <= as_int(name, size) <= MAX_SIZES[name]:
            raise UsageError(argument(name, size), f"questions are about 1 to {MAX_SIZES[name]} {name}")
    topic = request.topic
    if topic is not None and topic not in TOPICS:
        raise UsageError(argument("topic", topic), f"no question is about this topic. The topics are {', '.join(TOPICS)}")
    if not _matching_generators(request):
        choices = [str(level) for level in LEVELS if _matching_generators(request._replace(level=level))]
        problem = f"this level has no questions about {topic}"
        raise UsageError(
            f"{argument('level', request.level)} {argument('topic', topic)}", problem, f"Choose level {' or '.join(choices)}"
        )
    return request._replace(seed=validate_seed(request.seed), questions=count)


def generate_questions(request: QuizRequest) -> tuple[Question, ...]:
    """Make the questions of a request, the levels rising, and none twice while there are enough.

    Raises:
        UsageError: no such questions exist; see `validate_request`.
    """
    request = validate_request(request)
    levels = [
        level for level in LEVELS if _matching_generators(request._replace(level=level)) and request.level in (None, level)
    ]
    result: list[Question] = []
    for index, level in enumerate(levels):
        share = request.questions // len(levels) + (index < request.questions % len(levels))
        questions = _level_questions(request._replace(level=level))
        result += [next(questions) for _ in range(share)]
    return tuple(result)


def _matching_generators(request: QuizRequest) -> list[QuestionGenerator]:
    return [
        generator
        for generator in GENERATORS
        if request.level in (None, generator.level) and request.topic in (None, generator.topic)
    ]


def _level_questions(request: QuizRequest) -> Iterator[Question]:
    """Endless questions, kind after kind in an order that is drawn; repeated only after a turn without a new question."""
    makers, asked = _matching_generators(request), set[str]()
    attempt = (request.level or 0) * 2**20  # each level draws from separate streams
    order = Sampler(request.seed, attempt).shuffled(makers)
    fresh = True
    while True:
        turn: list[Question] = []
        for maker in order:
            attempt, question = _next_question(maker, request, attempt, asked)
            if question is not None and (question.id not in asked or not fresh):
                asked.add(question.id)
                turn.append(question)
                yield question
        if not turn and not fresh:
            raise UsageError(
                _format_sizes(request), "no question can be asked of these sizes", "Give others, or leave them out"
            )
        fresh = bool(turn) and fresh


def _next_question(
    maker: QuestionGenerator, request: QuizRequest, attempt: int, asked: set[str]
) -> tuple[int, Question | None]:
    """The number of attempts so far, and a question of one kind: a new one, or a repeated one if no new one was drawn."""
    last = None
    for _ in range(MAX_ATTEMPTS):
        attempt += 1
        question = maker.question(Sampler(request.seed, attempt, dict(request.sizes)))
        last = question or last
        if question is not None and question.id not in asked:
            break
    return attempt, last


def _format_sizes(request: QuizRequest) -> str:
    return " ".join(f"--{name} {size}" for name, size in request.sizes)
