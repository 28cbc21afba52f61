import json

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.metrics import average_precision_score

from napari_cryoml._errors import InputError
from napari_cryoml.data import Standard
from napari_cryoml.evaluation.functional import (
    TITLES,
    MetricSpec,
    evaluate_functional,
    functional_score,
)
from napari_cryoml.jobs import Command, run_inline

QUICK = MetricSpec(n_bootstrap=32, n_permutations=24)
N, GROUPS = 48, 6


def proteins(signal=1.0, seed=0, n=N):
    """Return vectors, names and the standard of groups that the vectors know of."""
    random = np.random.default_rng(seed)
    groups = np.arange(n) % GROUPS
    vectors = signal * random.normal(size=(GROUPS, 16))[groups] + random.normal(size=(n, 16))
    names = np.array([f"P{k:03d}" for k in range(n)])
    terms = {f"group {g}": names[groups == g].tolist() for g in range(GROUPS)}
    return vectors, names, Standard("toy", terms, provenance={"file": "toy.gmt"})


def evaluated(vectors, names, standard, spec=QUICK, **options):
    return run_inline(evaluate_functional(vectors, names, standard, spec, threads=1, **options))


def test_vectors_that_know_the_groups_are_told_from_noise() -> None:
    strong, weak = evaluated(*proteins(2.0)), evaluated(*proteins(0.0))
    for name in TITLES:
        score = strong.scores[name]
        assert score.low <= score.value <= score.high, name
        assert score.low > weak[name], name
        assert score.p == pytest.approx(1 / 25), name
    assert weak.scores["ap_pooled"].p > 0.05
    assert weak.scores["ap_pooled"].chance == pytest.approx(weak.prevalence, abs=0.03)
    assert abs(weak.scores["ami"].chance) < 0.05
    assert strong.scores["ap_pooled"].over_chance > 3
    assert np.isnan(strong.scores["ami"].over_chance)


def test_what_was_counted() -> None:
    report = evaluated(*proteins())
    assert (report.n_terms, report.n_pairs) == (GROUPS, N * (N - 1) // 2)
    assert report.n_related == GROUPS * 8 * 7 // 2
    assert report.prevalence == report.scores["ap_pooled"].prevalence == 7 / 47
    assert report.scores["map_protein"].prevalence == pytest.approx(7 / 47)
    assert (report.k, report.n_labelled) == (GROUPS, N)
    assert report.precision.mean() == pytest.approx(report["map_protein"])
    assert report.f05_by_share[0.1] == report["f05_at_q"]
    assert report.ami_by_k[GROUPS] == report["ami"]
    assert report.ami_max[1] == max(report.ami_by_k.values())
    assert report.left_out == {}


def test_each_term_has_a_score() -> None:
    vectors, names, standard = proteins()
    vectors[np.arange(N) % GROUPS == 2] = np.random.default_rng(3).normal(size=(8, 16))
    terms = {**standard.terms, "overlap": frozenset(names[[0, 1, 2, 6, 7]].tolist())}
    report = evaluated(vectors, names, Standard("toy", terms, {"group 0": "First"}))
    scores = {one.term: one for one in report.terms}
    assert len(scores) == GROUPS + 1
    assert scores["group 2"].precision == min(scores[f"group {g}"].precision for g in range(6))
    assert scores["group 0"].title == "First"
    apart = [one.precision for one in report.terms]
    assert apart == sorted(apart, reverse=True)
    members = np.flatnonzero(np.isin(names, sorted(terms["group 3"])))
    alike = np.corrcoef(vectors).astype(np.float32)
    inside = np.isin(np.arange(N), members)
    expected = [
        average_precision_score(np.delete(inside, p), np.delete(alike[p], p)) for p in members
    ]
    assert scores["group 3"].precision == pytest.approx(np.mean(expected), rel=1e-5)
    assert scores["group 3"].prevalence == pytest.approx(7 / 47)
    overlap = scores["overlap"]  # the others of their groups, 6 or 7, do not count
    assert overlap.prevalence == pytest.approx((4 * 4 / 41 + 4 / 40) / 5)
    assert overlap.n == 5


def test_the_same_seed_draws_the_same() -> None:
    data = proteins()
    one, two = evaluated(*data), run_inline(evaluate_functional(*data, QUICK, threads=3))
    other = evaluated(*data, QUICK.model_copy(update={"seed": 1}))
    assert all((one.draws[name] == two.draws[name]).all() for name in TITLES)
    assert (one.draws["ap_pooled"] != other.draws["ap_pooled"]).any()


def test_the_quick_score_is_the_same() -> None:
    data = proteins()
    report = evaluated(*data)
    assert functional_score(*data, QUICK) == {name: report[name] for name in TITLES}


def test_the_order_of_proteins_does_not_matter() -> None:
    vectors, names, standard = proteins()
    order = np.random.default_rng(1).permutation(N)
    found = functional_score(vectors[order], names[order], standard)
    assert found == pytest.approx(functional_score(vectors, names, standard))


def test_pearson_is_cosine_of_centred_vectors_and_zscore_changes_scales() -> None:
    vectors, names, standard = proteins()
    centred = vectors - vectors.mean(axis=1, keepdims=True)
    cosine = functional_score(centred, names, standard, MetricSpec(correlation="cosine"))
    assert cosine == pytest.approx(functional_score(vectors, names, standard))
    scaled = vectors * np.geomspace(1, 1e4, 16) + 5
    zscored = [
        functional_score(v, names, standard, MetricSpec(zscore=True)) for v in (vectors, scaled)
    ]
    assert zscored[0] == pytest.approx(zscored[1])
    assert functional_score(scaled, names, standard)["ap_pooled"] != zscored[1]["ap_pooled"]


def test_vectors_with_nan_and_constant_ones_are_named() -> None:
    vectors, names, standard = proteins()
    vectors[3, 2], vectors[7] = np.nan, 4.0
    report = evaluated(vectors, names, standard)
    assert report.left_out == {
        "vectors with NaN": ("P003",),
        "vectors that are constant": ("P007",),
    }
    assert len(report.proteins) == N - 2
    assert report.notes == ("1 vectors with NaN were left out: P003.",)
    kept = np.delete(np.arange(N), [3, 7])
    alone = functional_score(vectors[kept], names[kept], standard, QUICK)
    assert alone == {name: report[name] for name in TITLES}


def test_features_that_are_nan_everywhere_are_counted() -> None:
    vectors, names, standard = proteins()
    vectors[:, 4] = np.nan
    with pytest.raises(InputError, match="Every vector has NaN, in 1 of 16 features"):
        functional_score(vectors, names, standard)


def test_proteins_that_are_not_in_the_standard() -> None:
    vectors, names, standard = proteins()
    known = standard.restricted(names[:30].tolist())
    report = evaluated(vectors, names, known)
    assert (report.coverage.found, report.coverage.n) == (30, N)
    assert report.proteins == tuple(names[:30])
    assert report.left_out["not in the standard"] == tuple(names[30:])
    everyone = functional_score(vectors, names, known, MetricSpec(negatives="all"))
    assert everyone["ap_pooled"] < report["ap_pooled"]


def test_terms_are_counted_among_the_proteins_at_hand() -> None:
    vectors, names, standard = proteins()
    terms = {**standard.terms, "rest": frozenset({*names[:2].tolist(), "X", "Y", "Z"})}
    report = evaluated(vectors, names, Standard("toy", terms))
    assert report.n_terms == GROUPS
    with pytest.raises(InputError, match="No term of toy has between 20 and 300"):
        functional_score(vectors, names, standard, MetricSpec(least=20))


def test_a_standard_with_one_term() -> None:
    vectors, names, _ = proteins()
    lone = Standard("lone", {"t": names[:10].tolist()})
    with pytest.raises(InputError, match=r"Only one term of lone \(t\) has between 3 and 300"):
        functional_score(vectors, names, lone)
    found = evaluated(vectors, names, lone, MetricSpec(negatives="all", n_bootstrap=0))
    assert 0 < found["ap_pooled"] < 1
    assert np.isnan(found["ami"])
    assert "no mutual information" in found.notes[0]
    assert np.isnan(found.scores["ap_pooled"].low)


def test_held_out_proteins_alone() -> None:
    vectors, names, standard = proteins()
    held_out = names[::2].tolist()
    report = evaluated(vectors, names, standard, held_out=held_out)
    assert report.proteins == tuple(held_out)
    assert report.provenance["held_out"] is True
    alone = functional_score(vectors[::2], names[::2], standard)
    assert alone == functional_score(vectors, names, standard, held_out=held_out)
    with pytest.raises(InputError, match="None of the proteins held out"):
        functional_score(vectors, names, standard, held_out=["nobody"])


def test_other_names() -> None:
    vectors, names, standard = proteins()
    others = np.array([f"GENE{k}" for k in range(N)])
    aliases = dict(zip(others.tolist(), names.tolist(), strict=True))
    found = functional_score(vectors, others, standard, aliases=aliases)
    assert found == functional_score(vectors, names, standard)
    with pytest.raises(InputError, match="None of the 48 names is in toy"):
        functional_score(vectors, others, standard)
    names = names.astype("U8")
    names[1] = "GENE0"
    with pytest.raises(InputError, match="P000, GENE0 stands for 2 vectors"):
        functional_score(vectors, names, standard, aliases=aliases)


@pytest.mark.parametrize(
    ("vectors", "names", "sentence"),
    [
        (np.zeros(3), ["a"] * 3, "Vectors must be a table of numbers"),
        (np.zeros((2, 0)), ["a", "b"], r"an array of shape \(2, 0\)"),
        (np.array([["a"]]), ["a"], "Vectors must be a table of numbers"),
        (np.zeros((3, 2)), ["a"], "3 vectors need 3 names; 1 were given"),
        (np.eye(2), ["P000", "P000"], "P000 stands for 2 vectors"),
        (np.ones((2, 3)), ["P000", "P001"], "No protein is left .* constant: 2"),
    ],
)
def test_bad_input_gets_one_sentence(vectors, names, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        functional_score(vectors, names, proteins()[2])


def test_a_stop_keeps_what_is_done() -> None:
    job = evaluate_functional(*proteins(), MetricSpec(n_bootstrap=320), threads=1)
    next(job)
    next(job)
    for _ in range(3):
        job.send(None)
    with pytest.raises(StopIteration) as end:
        while True:
            job.send(Command.STOP)
    report = end.value.value
    assert 32 <= len(report.draws["ami"]) < 320
    assert np.isfinite(report.scores["ap_pooled"].low)
    assert np.isnan(report.scores["ap_pooled"].p)
    assert "Stopped after" in report.notes[0]


def test_events_count_up() -> None:
    events = []
    run_inline(evaluate_functional(*proteins(), QUICK, threads=2), events.append)
    done = [event.done for event in events]
    assert done == sorted(done)
    assert done[-1] == events[-1].total
    assert events[0].message == "ranking 1,128 pairs"


def test_a_report_as_json() -> None:
    told = json.loads(json.dumps(evaluated(*proteins()).as_dict()))
    assert told["spec"]["q"] == 0.1
    assert [row["metric"] for row in told["metrics"]] == list(TITLES)
    assert told["provenance"]["standard"] == {"file": "toy.gmt"}
    assert told["provenance"]["libraries"]["numpy"]
    assert MetricSpec.model_validate(told["spec"]) == QUICK


def test_sizes_of_terms_are_in_order() -> None:
    with pytest.raises(ValidationError, match="most must not be below least"):
        MetricSpec(least=5, most=4)


@pytest.mark.slow
def test_intervals_hold_the_mean_of_new_proteins() -> None:
    """Nine of ten intervals for new proteins of the same groups hold the mean over all of them."""
    reports = []
    random = np.random.default_rng(0)
    centres = random.normal(size=(8, 12))
    for _ in range(60):
        groups = random.integers(0, 8, 120)
        vectors = centres[groups] + 1.5 * random.normal(size=(120, 12))
        names = np.array([f"P{k}" for k in range(120)])
        terms = {f"g{g}": names[groups == g].tolist() for g in range(8)}
        spec = MetricSpec(n_bootstrap=96, n_permutations=0)
        reports.append(evaluated(vectors, names, Standard("new", terms), spec))
    for name in TITLES:
        scores = [report.scores[name] for report in reports]
        mean = np.mean([score.value for score in scores])
        assert np.mean([score.low <= mean <= score.high for score in scores]) > 0.9, name
