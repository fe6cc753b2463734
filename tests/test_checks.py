"""The check engine: verdicts, names of mistakes, the learner's own lines, and no side effects."""

import contextlib
import random
import signal
import threading
import time

import numpy as np
import pytest
import torch

from lightcourse.checks import (
    Case,
    Compare,
    Exercise,
    Hint,
    Law,
    Mistake,
    close,
    exact,
    judge,
    stand_in,
)
from lightcourse.checks.chapters import find_exercise, find_prediction
from lightcourse.checks.diagnose import without_secrets
from lightcourse.checks.located import located
from lightcourse.checks.show import call_text, short
from lightcourse.checks.testing import close as assert_close
from lightcourse.checks.testing import raises, tensor
from lightcourse.errors import UserError

CASES = ((2, 3), (4, 5), (-1, 7))


def area(**changes):
    """An exercise about the product of two sides."""
    settings = {
        "id": "99.area",
        "title": "Area",
        "cases": lambda rng: [Case(sides) for sides in CASES],
        "oracle": lambda a, b: a * b,
        "mistakes": (
            Mistake("added", "You add.", mimic=lambda a, b: a + b, hint=2),
            Mistake("doubled", "Twice.", mimic=lambda a, b: 2 * a * b),
        ),
        "hints": (Hint("I get nothing", "Begin."), Hint("my values are wrong", "Multiply.")),
    }
    return Exercise(**{**settings, **changes})


def scale(**changes):
    """An exercise about a tensor times two."""
    settings = {
        "id": "99.scale",
        "title": "Scale",
        "cases": lambda rng: [Case((torch.arange(6.0).reshape(2, 3),))],
        "oracle": lambda x: x * 2,
    }
    return Exercise(**{**settings, **changes})


DOUBLED_TWICE = Mistake("doubled-twice", "Twice.", mimic=lambda x: x * 4)


def test_a_compare_that_cannot_read_the_answer_is_no_crash():
    def first_rows(got, want):
        return Compare()(got[0], want[0])

    exercise = scale(compare=first_rows)
    assert judge(exercise, lambda x: x * 2).passed
    assert judge(exercise, lambda x: None).mistake == "returns-none"
    assert judge(exercise, lambda x: 3.5).mistake == "wrong-type"
    assert judge(scale(), lambda x: (x * 2).to("meta")).mistake == "wrong-type"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x: (x * 2).to_sparse(), ".to_dense()"),
        (lambda x: (x * 2).to_sparse_csr(), ".to_dense()"),
        (lambda x: (x * 2).to("meta"), "no numbers"),
        (lambda x: torch.quantize_per_tensor(x * 2, 1, 0, torch.quint8), ".dequantize()"),
        (lambda x: torch.nested.nested_tensor([x, x]), "a nested tensor"),
        (lambda x: (x * 2).bfloat16(), "torch.bfloat16"),
        (lambda x: torch.complex(x, x).conj(), "complex"),
    ],
    ids=["sparse", "csr", "meta", "quantized", "nested", "bfloat16", "conjugate"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # torch says that its formats are young
def test_no_kind_of_tensor_breaks_the_report(make, words):
    for compare in (None, located(Compare())):
        result = judge(scale(compare=compare, mistakes=(DOUBLED_TWICE,)), make)
        assert not result.passed
        assert result.mistake in ("wrong-type", "wrong-shape", "wrong-dtype")
        assert words in repr(result)
        assert ">got<" in result._repr_html_()


def test_an_input_that_is_no_tensor_any_more_is_a_changed_input():
    def spoils(table):
        answer = table["x"] * 2
        table["x"] = "gone"
        return answer

    given = scale(cases=lambda rng: [Case(({"x": torch.arange(3.0)},))],
                  oracle=lambda table: table["x"] * 2)  # fmt: skip
    assert judge(given, spoils).mistake == "mutates-input"


def test_the_course_stands_in_for_what_is_not_right_yet():
    def right(n, c, h, w, bits=32):
        return n * c * h * w * bits // 8

    assert stand_in("00.bytes", right) is right
    for unfinished in (lambda n, c, h, w, bits=32: 0, None, ...):
        assert stand_in("00.bytes", unfinished)(2, 3, 4, 5) == 480
    with pytest.raises(UserError, match="no exercise"):
        stand_in("00.nothing", right)


def test_right_answer_passes_and_counts_its_cases():
    result = judge(area(), lambda a, b: b * a)
    assert result.passed and result
    assert result.counts == (0, 3)
    assert "3 cases hold" in repr(result)


@pytest.mark.parametrize(
    ("answer", "mistake", "words"),
    [
        (lambda a, b: a + b, "added", "You add."),
        (lambda a, b: a * b * 2, "doubled", "Twice."),
        (lambda a, b: a - b, None, "Work the case below by hand"),
        (lambda a, b: None, "returns-none", "`return`"),
        (lambda a, b: print(a * b), "returns-none", "`return`"),
        (lambda a, b: float(a * b), "wrong-type", "//"),
        (lambda a, b: str(a * b), "wrong-type", "a str, wanted a whole number"),
        (lambda a, b: torch.tensor(a * b), "wrong-type", ".item()"),
        (lambda a, b: [a, b], "wrong-type", "a list"),
        (lambda a, b: float("nan"), "nan", "NaN"),
        (lambda a: a, "wrong-signature", "takes 1 positional argument but 2 were given"),
        (lambda a, b, c: a, "wrong-signature", "missing 1 required"),
        (6, "not-callable", "without brackets"),
        (..., "not-implemented", "Nothing there yet"),
    ],
)
def test_mistakes_get_their_names(answer, mistake, words):
    result = judge(area(), answer)
    assert not result.passed
    assert result.mistake == mistake
    assert words in result.message


def test_known_mistake_opens_its_hint():
    result = judge(area(), lambda a, b: a + b)
    assert result.hint == 2
    assert 'hint("99.area", 2)' in repr(result)
    assert "Multiply." in result._repr_html_()


def test_a_mistake_that_explains_every_answer_beats_one_that_explains_the_failures_only():
    def adds_unless_negative(a, b):
        return a * b if a < 0 else a + b

    anywhere = Mistake("anywhere", "A.", mimic=lambda a, b: a + b)
    careful = Mistake("careful", "B.", mimic=adds_unless_negative)
    exercise = area(mistakes=(anywhere, careful))
    assert judge(exercise, adds_unless_negative).mistake == "careful"
    assert judge(area(mistakes=(anywhere,)), adds_unless_negative).mistake == "anywhere"


def test_a_mistake_must_explain_every_failure():
    result = judge(area(), lambda a, b: a + b if a == 2 else 0)
    assert result.mistake is None


def test_mistake_by_error_message_comes_before_raises():
    def transposed_view(x):
        return x.t().view(-1)

    view = Mistake("view", "Call contiguous first.", matches=lambda o: "view" in str(o.error))
    flat = scale(oracle=lambda x: x.t().reshape(-1), mistakes=(view,))
    result = judge(flat, transposed_view)
    assert result.mistake == "view"
    assert "return x.t().view(-1)" in repr(result)


def test_a_matches_that_cannot_read_the_answer_is_no_crash():
    odd = Mistake("odd", "Odd.", matches=lambda o: o.got.shape[0] == 1)
    assert judge(area(mistakes=(odd,)), lambda a, b: "text").mistake == "wrong-type"


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (lambda x: (x * 2).t(), "wrong-shape"),
        (lambda x: (x * 2).double(), "wrong-dtype"),
        (lambda x: x * float("nan"), "nan"),
        (lambda x: x.mul_(2), "mutates-input"),
        (lambda x: x.mul_(3), None),
        (lambda x: (x * 2).numpy(), "wrong-type"),
        (lambda x: x * 2 + 1e-3, None),
    ],
)
def test_tensor_mistakes(answer, mistake):
    assert judge(scale(), answer).mistake == mistake


def test_a_changed_input_is_named_with_advice_that_fits_its_kind():
    def first(rows):
        return rows.pop(0)

    exercise = area(cases=lambda rng: [Case(([3, 4],))], oracle=lambda rows: rows[0], mistakes=())
    result = judge(exercise, first)
    assert result.mistake == "mutates-input"
    assert "its input `rows` (a list)" in result.message and "`pop`" in result.message
    result = judge(scale(), lambda picture: picture.requires_grad_().detach() * 2)
    assert result.mistake == "mutates-input", "gradients switched on for the caller are a change"
    assert "`picture` (its gradients are switched on now)" in result.message


@pytest.mark.parametrize(
    ("got", "words"),
    [
        ([(3, 1), (5, 2)], "in the second item, the second item is 2, wanted 1"),
        ([(3, 1), (5, 0.5)], "in the second item, the second item is 0.5, wanted 1"),
        ([(3, 1), (5,)], "in the second item, there is 1 item, wanted 2"),
        ([(3, 1), "5"], "in the second item, it is a str, wanted a tuple"),
    ],
)
def test_nested_answers_are_compared_in_words(got, words):
    assert Compare()(got, [(3, 1), (5, 1)]).text == words


def test_nobody_is_sent_to_work_a_module_by_hand():
    def cases(rng):
        return [Case((torch.nn.Linear(2, 2), torch.ones(1, 2)))]

    exercise = scale(
        cases=cases,
        oracle=lambda layer, x: layer(x).detach(),
        hints=(Hint("an error", "E."), Hint("my shape is right, my values are wrong", "V.")),
    )
    result = judge(exercise, lambda layer, x: layer(x).detach() + 1)
    assert "by hand" not in result.message and "after each step" in result.message
    assert result.hint == 2 and 'hint("99.scale", 2)' in repr(result)


def test_inputs_may_change_where_the_exercise_allows_it():
    assert judge(scale(mutates=True), lambda x: x.mul_(2)).passed


def test_module_inputs_are_watched_too():
    def cases(rng):
        return [Case((torch.nn.BatchNorm1d(3), torch.arange(6.0).reshape(2, 3)))]

    def oracle(layer, x):
        return layer.eval()(x)

    exercise = scale(cases=cases, oracle=oracle)
    assert judge(exercise, lambda layer, x: layer.eval()(x)).passed

    def trains_first(layer, x):
        layer.train()(x)
        layer.running_mean.copy_(layer.running_mean * 0 + 5)
        return torch.nn.BatchNorm1d(3).eval()(x)

    assert judge(exercise, trains_first).mistake == "mutates-input"


def helper(x):
    return x.nothing


def nested(a, b):
    return helper(a)


def test_an_error_is_shown_at_the_learners_own_lines():
    result = judge(area(), nested)
    assert result.mistake == "raises"
    inner = result.outcome.blame[-1]
    assert inner.source == "return x.nothing"
    assert inner.function == "helper"
    assert inner.line == helper.__code__.co_firstlineno + 1
    text = repr(result)
    assert "return helper(a)" in text
    assert "AttributeError" in text
    assert "engine.py" not in text and "guard.py" not in text


def test_an_error_inside_torch_is_shown_at_the_call():
    def mixed_shapes(x):
        return torch.nn.functional.linear(x, torch.ones(7, 7))

    result = judge(scale(), mixed_shapes)
    assert [b.source for b in result.outcome.blame] == [
        "return torch.nn.functional.linear(x, torch.ones(7, 7))"
    ]


def test_a_type_error_in_the_learners_code_is_not_a_wrong_signature():
    assert judge(area(), lambda a, b: a + "x").mistake == "raises"


def test_a_syntax_error_inside_exec_names_its_line():
    def runs_text(a, b):
        exec("x = 1\ny = = 2")

    result = judge(area(), runs_text)
    assert result.mistake == "raises"
    assert result.outcome.blame[-1].line == 2
    assert result.outcome.blame[-1].source == "y = = 2"


def test_code_without_a_file_still_gets_its_line():
    names: dict = {}
    exec("def f(a, b):\n    return a / 0", names)
    result = judge(area(), names["f"])
    assert result.outcome.blame[-1].line == 2
    assert "ZeroDivisionError" in result.message


def test_unfinished_code_is_called_so():
    def stub(a, b):
        raise NotImplementedError()

    result = judge(area(), stub)
    assert result.mistake == "not-implemented"
    assert "not written yet" in result.message
    assert "wanted" not in repr(result)


def test_an_endless_loop_is_stopped_and_its_line_named():
    def endless(a, b):
        while True:
            a += 1

    begin = time.process_time()
    result = judge(area(seconds=0.3), endless)
    assert time.process_time() - begin < 5
    assert result.mistake == "too-slow"
    assert "while True" in repr(result) or "a += 1" in repr(result)
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_except_exception_does_not_swallow_the_time_limit():
    def stubborn(a, b):
        while True:
            with contextlib.suppress(Exception):
                a += 1

    assert judge(area(seconds=0.3), stubborn).mistake == "too-slow"


def test_a_bare_except_delays_the_end_only():
    def catches_once(a, b):
        for _ in range(2):
            try:
                while True:
                    a += 1
            except:  # noqa: E722
                a = 0
        while True:
            a += 1

    assert judge(area(seconds=0.3), catches_once).mistake == "too-slow"


def test_many_threads_do_not_shorten_the_time():
    def computes_elsewhere(a, b):
        def burn():
            while time.thread_time() < 0.6:
                pass

        helpers = [threading.Thread(target=burn) for _ in range(2)]
        for one in helpers:
            one.start()
        for one in helpers:
            one.join()
        return a * b

    assert judge(area(seconds=0.5, cases=lambda rng: [Case((2, 3))]), computes_elsewhere).passed


def test_works_in_a_thread_without_a_time_limit():
    results = []
    thread = threading.Thread(target=lambda: results.append(judge(area(), lambda a, b: a * b)))
    thread.start()
    thread.join()
    assert results[0].passed


def test_ctrl_c_passes_through():
    def interrupted(a, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(area(), interrupted)


@pytest.mark.parametrize(
    "leave", [lambda a, b: exit(), lambda a, b: (_ for _ in ()).throw(SystemExit)]
)
def test_exit_is_an_error_like_any_other(leave):
    assert judge(area(), leave).mistake == "raises"


def test_prints_are_kept_short_and_out_of_the_way(capsys):
    def chatty(a, b):
        for i in range(10_000):
            print("line", i)
        return 0

    result = judge(area(), chatty)
    assert capsys.readouterr().out == ""
    assert "line 0" in repr(result)
    assert len(repr(result)) < 4000
    assert "more characters" in repr(result)


def test_random_state_is_left_alone():
    def greedy(a, b):
        random.random()
        np.random.rand()
        torch.rand(3)
        torch.manual_seed(1)
        return a * b

    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    before = random.random(), np.random.rand(), torch.rand(1).item()
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    assert judge(area(), greedy).passed
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == before


def test_learner_and_oracle_draw_the_same_random_numbers():
    exercise = scale(oracle=lambda x: x + torch.rand(2, 3))
    assert judge(exercise, lambda x: torch.rand(2, 3) + x).passed


def test_cases_depend_on_id_and_seed_only():
    seen = []

    def cases(rng):
        yield Case((rng.randint(0, 10**9), 1))

    def remember(a, b):
        seen.append(a)
        return a * b

    torch.manual_seed(1)
    judge(area(cases=cases), remember)
    torch.manual_seed(2)
    judge(area(cases=cases), remember)
    judge(area(cases=cases), remember, seed=7)
    judge(area(id="99.other", cases=cases), remember)
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3


def test_laws_are_tried_after_the_cases():
    def commutes(obj, rng):
        a, b = rng.random(), rng.random()
        return None if obj(a, b) == obj(b, a) else "a × b must equal b × a."

    exercise = area(laws=(Law("commutative", commutes, hint=1),))
    assert judge(exercise, lambda a, b: a * b).passed
    assert "3 cases and 1 law hold" in repr(judge(exercise, lambda a, b: a * b))
    result = judge(exercise, lambda a, b: a * b if isinstance(a, int) else a)
    assert (result.mistake, result.hint) == ("commutative", 1)
    assert "a × b must equal b × a." in repr(result)
    assert "wanted" not in repr(result)
    crash = judge(exercise, lambda a, b: a * b if isinstance(a, int) else a.no)
    assert crash.mistake == "raises"


def test_where_only_the_dtype_differs_both_dtypes_are_shown():
    double = scale(cases=lambda rng: [Case((torch.ones(2).double(),))])
    said = repr(judge(double, lambda x: x.float() * 2))
    assert "wanted  tensor([2., 2.], dtype=torch.float64)" in said
    assert "got     tensor([2., 2.])" in said
    wrong = repr(judge(double, lambda x: x * 3))
    assert "call    scale(tensor([1., 1.], dtype=torch.float64))" in wrong
    assert "wanted  tensor([2., 2.])" in wrong


def test_a_difference_is_told_with_enough_digits():
    found = located(Compare())(torch.ones(1).double() + 1e-6, torch.ones(1).double())
    assert found.text.endswith("first at [0]: wanted 1, got 1.000001")
    one, other = (torch.full((1,), value, dtype=torch.float64) for value in (0.1 + 0.2, 0.3))
    found = located(exact)(one, other)
    assert "wanted 0.3, got 0.30000000000000004" in found.text


HINTS = (
    Hint("My shape is right, my values are wrong", "Values."),
    Hint("I get RuntimeError: shape … is invalid for input of size …", "View."),
    Hint("I get RuntimeError: The size of tensor a must match the size of tensor b", "Sizes."),
    Hint("I get RuntimeError: … does not require grad, or my gradient is None", "Gradient."),
    Hint("My shape is wrong", "Shape."),
)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x: x * 3, 1),
        (lambda x: (x * 2).view(4, 2), 2),
        (lambda x: x * 2 + torch.ones(5), 3),
        (lambda x: torch.autograd.grad(x.sum(), x), 4),
        (lambda x: (x * 2).flatten(), 5),
        (lambda x: x @ x, None),
        (lambda x: x["no"], None),
    ],
)
def test_the_hint_is_the_one_whose_title_says_what_happened(answer, hint):
    assert judge(scale(hints=HINTS), answer).hint == hint


def test_class_exercises_call_in_their_own_way():
    class Double(torch.nn.Module):
        def forward(self, x):
            return x * 2

    exercise = scale(kind="class", call=lambda cls, case: cls()(*case.args), name="Double")
    assert judge(exercise, Double).passed
    for wrong in (Double(), lambda x: x * 2):
        result = judge(exercise, wrong)
        assert result.mistake == "not-callable"
        assert "class Double itself" in result.message


def test_value_exercises_compare_the_value():
    exercise = area(
        kind="value", cases=lambda rng: [Case()], oracle=lambda: 42, mistakes=(), name="answer"
    )
    assert judge(exercise, 42).passed
    assert judge(exercise, 41).mistake is None
    assert judge(exercise, ...).mistake == "not-implemented"
    assert "answer" in repr(judge(exercise, 41))


def test_hidden_results_quote_nothing():
    secret = 123456

    def leaks(a, b):
        raise ValueError(f"inputs were {a} {b}")

    exercise = area(cases=lambda rng: [Case((secret, 1))], mistakes=area().mistakes)
    answers = (leaks, lambda a, b: print(a) or 5, lambda a, b: a + b, lambda a, b: float(a), str)
    for answer in answers:
        result = without_secrets(judge(exercise, answer))
        for text in (repr(result), result._repr_html_()):
            assert str(secret) not in text and str(secret + 1) not in text
            assert "99.area" in text
        assert result.message


def test_hidden_laws_quote_nothing():
    law = Law("sign", lambda obj, rng: "obj(123456) is wrong")
    result = without_secrets(judge(area(laws=(law,)), lambda a, b: a * b))
    assert "123456" not in repr(result)
    assert "sign" in repr(result)


@pytest.mark.parametrize(
    ("got", "want", "kind"),
    [
        (3, 3, None),
        (np.int64(3), 3, None),
        (True, 1, "type"),
        (3.0, 3, "type"),
        (2.5, 3, "value"),
        (3, 3.0, None),
        (1 + 1e-9, 1.0, None),
        (1.01, 1.0, "value"),
        (float("inf"), float("inf"), None),
        (float("nan"), 1.0, "nan"),
        ([1, 2], (1, 2), None),
        (torch.Size([1, 2]), (1, 2), None),
        ((1, 2, 3), (1, 2), "shape"),
        ("12", (1, 2), "type"),
        ((1, (2, 4)), (1, (2, 3)), "value"),
        ({"a": 1}, {"a": 1}, None),
        ({"b": 1}, {"a": 1}, "shape"),
        ({"a": 2}, {"a": 1}, "value"),
        (np.ones(2), np.ones(2), None),
        (np.ones(3), np.ones(2), "shape"),
        (torch.ones(2), np.ones(2), "type"),
        (torch.tensor([float("inf"), 1]), torch.tensor([float("inf"), 1]), None),
        (torch.tensor([1, 2]), torch.tensor([1, 3]), "value"),
        (torch.ones(2, requires_grad=True), torch.ones(2), None),
        ("yes", "yes", None),
        (None, "yes", "type"),
        (False, False, None),
        (1, True, "type"),
    ],
)
def test_compare(got, want, kind):
    found = Compare()(got, want)
    assert (found.kind if found else None) == kind


def test_tolerances():
    assert close(rtol=0.1)(1.05, 1.0) is None
    assert exact(1 + 1e-12, 1.0).kind == "value"
    assert Compare(dtype=False)(torch.ones(2).double(), torch.ones(2)) is None


def test_an_exercise_that_nothing_can_fail_is_refused():
    with pytest.raises(ValueError, match="nothing could fail"):
        Exercise("99.x", "X")
    with pytest.raises(ValueError, match="both cases and an oracle"):
        area(oracle=None)
    with pytest.raises(ValueError, match="hint 9"):
        area(mistakes=(Mistake("a", "A", mimic=max, hint=9),))
    with pytest.raises(ValueError, match="either mimic or matches"):
        Mistake("a", "A")


@pytest.mark.parametrize(
    ("find", "id", "words"),
    [
        (find_exercise, "00.byte", "did you mean 00.bytes"),
        (find_exercise, "77.bytes", "did you mean 00.bytes"),
        (find_exercise, "", "did you mean"),
        (find_exercise, len, "comes first, in quotes"),
        (find_prediction, "00.p9", "did you mean 00.p1"),
    ],
)
def test_unknown_ids_get_the_closest(find, id, words):
    with pytest.raises(UserError, match=words) as caught:
        find(id)
    assert "\n" not in str(caught.value)


def test_a_failing_picture_never_hides_the_diagnosis():
    def broken(case, got, want):
        raise IndexError("no")

    html = judge(area(picture=broken), lambda a, b: a + b)._repr_html_()
    assert "You add." in html
    assert "No picture" in html


def test_the_target_is_drawn_beside_the_answer():
    html = judge(scale(), lambda x: x * 2 + torch.eye(2, 3))._repr_html_()
    assert html.count("<figure") == 2
    assert "2 cells differ" in html
    assert html.count("✗</td>") == 4


def test_html_is_escaped():
    def evil(a, b):
        raise ValueError("<script>alert(1)</script>")

    assert "<script" not in judge(area(), evil)._repr_html_()
    assert "<script" not in judge(area(), lambda a, b: "<script>x</script>")._repr_html_()


def test_helpers_for_hidden_tests():
    assert_close(torch.ones(2), torch.ones(2))
    with pytest.raises(AssertionError, match="the answer: the values differ"):
        assert_close(123456.0, 1.0)
    with pytest.raises(AssertionError, match="NaN"):
        assert_close(torch.tensor([float("nan")]), torch.zeros(1))
    assert tensor(torch.zeros(2, 3), shape=(2, 3), dtype=torch.float32).shape == (2, 3)

    class AlwaysEqual(torch.Tensor):
        pass

    with pytest.raises(AssertionError, match="wanted a tensor"):
        tensor(torch.ones(2).as_subclass(AlwaysEqual))
    with pytest.raises(AssertionError, match="shape"):
        tensor(torch.ones(2), shape=(3,))
    with pytest.raises(AssertionError, match="dtype"):
        tensor(torch.ones(2), dtype=torch.int64)
    raises(ValueError, int, "x")
    with pytest.raises(AssertionError, match="returned an answer"):
        raises(ValueError, int, "1")
    with pytest.raises(AssertionError, match="raised TypeError"):
        raises(ValueError, int, [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (0.1 + 0.2, "0.3"),
        (2.0, "2.0"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        ((1,), "(1,)"),
        ([1, (2, 3.0)], "[1, (2, 3.0)]"),
        ({"a": (1, 2)}, "{'a': (1, 2)}"),
        (torch.Size([1, 2]), "(1, 2)"),
        (torch.tensor(2.5), "tensor(2.5)"),
        (torch.arange(3).view(1, 3, 1, 1), "tensor of shape (1, 3, 1, 1): [0 1 2]"),
        (torch.zeros(2, 3, 8, 8), "tensor of shape (2, 3, 8, 8), torch.float32"),
        (torch.zeros(2, device="meta"), "tensor of shape (2,), torch.float32"),
        (np.zeros((9, 9)), "array of shape (9, 9), float64"),
        (torch.nn.ReLU, "ReLU"),
        (torch.nn.ReLU(torch.zeros(2)), "a ReLU that cannot be printed"),  # type: ignore[arg-type]
        (torch.nn.Linear(1, 2), "Linear(in_features=1, out_features=2, bias=True)"),
        ("x" * 1000, "'" + "x" * 298 + "…"),
    ],
)
def test_values_are_printed_small(value, text):
    assert short(value) == text


def test_a_call_is_printed_as_the_learner_would_write_it():
    case = Case((2, torch.arange(2)), {"stride": (1, 2)})
    assert call_text(area(name="my_area"), case) == "my_area(2, tensor([0, 1]), stride=(1, 2))"
    case = Case((torch.tensor([1.0, 2.0]), torch.tensor([1.0]).double()), {"k": [np.float32([3])]})
    assert call_text(area(), case) == (
        "area(tensor([1., 2.]), tensor([1.], dtype=torch.float64), k=[array([3.], dtype=float32)])"
    )
    assert call_text(area(show=lambda case: f"{len(case.args)} inputs"), case) == "2 inputs"
