"""Learning rates that are tried, runs from several seeds, and what is watched meanwhile."""

import numpy as np
import pytest
from shapes import crops_of_shapes, labelled_shapes

from napari_cryoml._errors import InputError
from napari_cryoml.classification import LabelledCrops, load_classifier, systems
from napari_cryoml.data import split_cells
from napari_cryoml.jobs import Command, run_inline
from napari_cryoml.training import CropSampler, TrainingEvent

QUICK = {"network": "flat", "network_options": {"hidden": 12}, "device": "cpu", "batch": 16}


def quick(name="deeploc", **options):
    usual = {"epochs": 3, "augmentation": "none", "precision": "float32", "seeds": 1}
    rates = {} if "learning_rate" in options else {"learning_rates": (1e-2,)}
    return systems.create(name, **QUICK | usual | rates | options)


def shapes(n=60):
    """Return crops of shapes with a split of their own."""
    crops = crops_of_shapes(n, ndim=2, noise=0.1)
    split = split_cells(crops.columns["kind"], (0.6, 0.2, 0.2))
    return LabelledCrops.of(crops, "kind", split=split)


def trained(system, data, watch=None):
    """Return a classifier and the events of its training."""
    events = []
    return run_inline(system.fit(data, watch), events.append), events


def stages(events):
    told = [event.stage for event in events if isinstance(event, TrainingEvent)]
    return list(dict.fromkeys(told))


def stopped_after(job, stage, n=2):
    """Return the result of a job that is told to stop in a stage."""
    command, seen = None, 0
    while True:
        try:
            event = job.send(command)
        except StopIteration as end:
            return end.value
        seen += getattr(event, "stage", "") == stage
        command = Command.STOP if seen == n else None


class TestLearningRates:
    def test_the_best_one_is_taken_and_said(self):
        system = quick(learning_rates=(1e-9, 1e-2), trial_epochs=1, seeds=1)
        classifier, events = trained(system, shapes())
        said = "The learning rate 0.01 was best on validation, of 1e-09, 0.01."
        assert said in [event.message for event in events]
        assert said in classifier.notes
        assert [run.learning_rate for run in classifier.runs] == [0.01]
        names = ["Learning rate 1e-09 (1 of 2)", "Learning rate 0.01 (2 of 2)", "Training"]
        assert stages(events) == names
        steps = [max(e.step for e in events if getattr(e, "stage", "") == name) for name in names]
        assert steps == [3, 3, 9]  # 36 crops in batches of 16, for 1, 1 and 3 epochs
        done = [event.done for event in events]
        assert done == sorted(done)
        assert events[-1].done == events[-1].total == 1000

    def test_one_that_was_tried_to_the_end_is_the_first_run(self):
        system = quick(learning_rates=(1e-9, 1e-2), trial_epochs=None, seeds=2)
        classifier, events = trained(system, shapes())
        assert [*stages(events)][2:] == ["Run 2 of 2"]
        assert [run.learning_rate for run in classifier.runs] == [0.01, 0.01]
        assert [run.seed for run in classifier.runs] == [0, 1]
        assert events[-1].done == 1000
        alone, _ = trained(quick(learning_rate=1e-2), shapes())
        images = shapes().crops.read([0, 1])
        if classifier.runs[0].kept:
            assert np.allclose(classifier.predict(images), alone.predict(images), atol=1e-5)
        assert classifier.runs[0].validation == pytest.approx(alone.runs[0].validation)

    def test_a_given_rate_stands_for_all(self):
        system = systems.create("deeploc", learning_rate=0.02)
        assert (system.learning_rates, system.training.optimizer.learning_rate) == ((), 0.02)
        both = systems.create("deeploc", learning_rate=0.02, learning_rates=(1e-3, 1e-2))
        assert both.learning_rates == (1e-3, 1e-2)

    def test_minutes_are_those_of_all_attempts(self):
        system = quick(learning_rates=(1e-3, 1e-2), seeds=2, minutes=1e-6, epochs=50)
        _, events = trained(system, shapes())
        assert len(stages(events)) == 4
        assert sum(isinstance(event, TrainingEvent) for event in events) < 20

    def test_without_anything_to_compare_them_on(self):
        with pytest.raises(InputError, match="2 learning rates are compared on labels"):
            trained(quick(keep="last", learning_rates=(1e-3, 1e-2)), shapes())
        few = labelled_shapes(6, ndim=2)
        classifier, events = trained(quick(learning_rates=(1e-2, 1e-3)), few)
        assert stages(events) == ["Training"]
        assert classifier.runs[0].learning_rate == 1e-2
        assert any("to choose the best one on" in note for note in classifier.notes)


class TestSeeds:
    def test_the_best_run_is_kept_and_the_spread_is_told(self, tmp_path):
        data = shapes()
        classifier, events = trained(quick(seeds=3), data)
        assert stages(events) == ["Run 1 of 3", "Run 2 of 3", "Run 3 of 3"]
        runs = classifier.runs
        assert [run.seed for run in runs] == [0, 1, 2]
        assert len({run.validation for run in runs}) > 1
        best = max(runs, key=lambda run: run.validation)
        assert [run.kept for run in runs] == [run is best for run in runs]
        assert classifier.report.accuracy == pytest.approx(best.accuracy)
        of_each = [run.accuracy for run in runs]
        told = f"3 runs had an accuracy of {np.mean(of_each):.3f} ± {np.std(of_each, ddof=1):.3f} "
        assert any(note.startswith(told) for note in classifier.notes)
        assert all(set(run.figures) >= {"loss", "accuracy"} for run in runs)
        classifier.save(tmp_path / "c.safetensors")
        assert load_classifier(tmp_path / "c.safetensors").runs == runs

    def test_the_same_seed_gives_the_same_run(self):
        data = shapes()
        one, _ = trained(quick(seeds=2), data)
        other, _ = trained(quick(seed=1), data)
        assert one.runs[1].validation == pytest.approx(other.runs[0].validation)

    def test_an_ensemble_answers_with_the_mean_of_all(self, tmp_path):
        data = shapes(30)
        system = quick(seeds=3, of_seeds="ensemble", epochs=1)
        classifier, _ = trained(system, data)
        assert all(run.kept for run in classifier.runs)
        images = data.crops.read([0, 5, 7])
        of_each = []
        for seed in range(3):
            alone, _ = trained(quick(seed=seed, epochs=1), data)
            of_each.append(_softmax(alone.features(images)))
        assert classifier.temperature == 1  # too few are held out to fit one
        chances = classifier.predict(images)
        assert np.allclose(chances, np.mean(of_each, axis=0), atol=1e-4)
        classifier.save(tmp_path / "c.safetensors")
        again = load_classifier(tmp_path / "c.safetensors")
        assert np.allclose(again.predict(images), chances, atol=1e-5)
        assert np.allclose(again.vectors(images), classifier.vectors(images), atol=1e-5)
        assert len(again.others) == 2


class TestStopping:
    def test_while_rates_are_tried_the_best_by_then_is_kept(self):
        system = quick(learning_rates=(1e-2, 1e-9), seeds=3)
        job = system.fit(shapes())
        classifier = stopped_after(job, "Learning rate 1e-09 (2 of 2)")
        assert [run.learning_rate for run in classifier.runs] == [1e-2]
        assert any("the best of what was trained by then" in note for note in classifier.notes)

    def test_in_a_later_run_an_earlier_one_may_be_kept(self):
        job = quick(seeds=3, epochs=20).fit(shapes())
        classifier = stopped_after(job, "Run 2 of 3", n=1)
        assert [run.seed for run in classifier.runs] == [0, 1]
        assert [run.kept for run in classifier.runs] == [True, False]

    def test_in_the_only_run_its_epoch_is_told(self):
        classifier = stopped_after(quick(epochs=20).fit(shapes()), "Training", n=6)
        assert any("the weights are of epoch" in note for note in classifier.notes)


class Scripted:
    """Returns figures that were thought out before, and remembers what it was shown."""

    def __init__(self, scores):
        self.scores, self.seen = scores, []

    def __call__(self, epoch, vectors):
        self.seen.append((epoch, vectors(vectors.test), vectors.validation, vectors.test))
        return {"score": self.scores[epoch], "zero": 0.0}


class TestWatching:
    def test_vectors_are_looked_at_before_and_after_every_epoch(self):
        data, watch = shapes(), Scripted([0.1, 0.2, 0.3, 0.4])
        classifier, events = trained(quick(), data, watch)
        assert [epoch for epoch, *_ in watch.seen] == [0, 1, 2, 3]
        told = [event for event in events if "score" in event.figures]
        assert [event.epoch for event in told] == [0, 1, 2, 3]
        assert [event.figures["score"] for event in told] == [0.1, 0.2, 0.3, 0.4]
        assert told[0].step == 0
        assert "before the first epoch" in told[0].message
        assert "score 0.2" in told[1].message
        _, vectors, validation, test = watch.seen[-1]
        assert np.array_equal(validation, data.split.validation)
        assert np.array_equal(test, data.split.test)
        if classifier.runs[0].epoch == 3:
            expected = classifier.vectors(data.crops.read(test))
            assert np.allclose(vectors, expected, atol=1e-5)
        assert not np.allclose(watch.seen[0][1], vectors)

    def test_the_best_figure_may_choose_the_epoch_and_end_the_run(self):
        watch = Scripted([0.9, 0.1, 0.8, *[0.5] * 30])
        system = quick(keep="watched", epochs=30, training={"patience": 4})
        classifier, _ = trained(system, shapes(), watch)
        (run,) = classifier.runs
        assert (run.epoch, run.validation, run.figures["score"]) == (2, 0.8, 0.8)
        assert len(watch.seen) == 1 + 2 + 4
        chosen = watch.seen[2]
        vectors = classifier.vectors(shapes().crops.read(chosen[3]))
        assert np.allclose(vectors, chosen[1], atol=1e-5)

    def test_the_figure_is_named(self):
        scores = [0.1, 0.2, 0.3, 0.4]
        classifier, _ = trained(quick(keep="watched", watched="zero"), shapes(), Scripted(scores))
        assert classifier.runs[0].epoch == 1
        with pytest.raises(InputError, match="'other', and what is watched is score, zero"):
            trained(quick(keep="watched", watched="other"), shapes(), Scripted(scores))

    def test_a_figure_that_is_no_number_is_never_the_best(self):
        watch = Scripted([np.nan, np.nan, 0.2, np.nan])
        classifier, _ = trained(quick(keep="watched"), shapes(), watch)
        assert classifier.runs[0].epoch == 2
        classifier, _ = trained(quick(keep="watched"), shapes(), Scripted([np.nan] * 4))
        assert classifier.runs[0].validation is None

    def test_without_a_watch_the_loss_chooses(self):
        data = shapes()
        by_loss, _ = trained(quick(keep="loss"), data)
        watched, _ = trained(quick(keep="watched"), data)
        assert watched.runs == by_loss.runs

    def test_without_selection_it_looks_all_the_same(self):
        watch = Scripted([0.0] * 4)
        classifier, events = trained(quick(keep="last"), shapes(), watch)
        assert len(watch.seen) == 4
        assert all(event.validation is None for event in events)
        assert classifier.runs[0].epoch == 3


def test_a_given_split_is_kept(monkeypatch):
    seen = []
    draw = CropSampler.draw

    def see(self):
        batch = draw(self)
        seen.append((batch.rows.numpy(), batch.labels.numpy()))
        return batch

    monkeypatch.setattr(CropSampler, "draw", see)
    data = shapes()
    classifier, _ = trained(quick(), data)
    rows = np.concatenate([rows for rows, _ in seen])
    assert set(rows.tolist()) == set(data.split.train.tolist())
    assert np.array_equal(np.concatenate([labels for _, labels in seen]), data.labels[rows])
    assert classifier.report.n == len(data.split.test)
    assert (classifier.held_out >= 0).nonzero()[0].tolist() == data.split.test.tolist()


def test_a_split_that_leaves_one_class_is_refused():
    crops = crops_of_shapes(30, ndim=2)
    split = split_cells(crops.columns["kind"], hold_out=["ring", "bar"])
    with pytest.raises(InputError, match="Fewer than two classes have labels among the crops to"):
        trained(quick(), LabelledCrops.of(crops, "kind", split=split))


def _softmax(scores):
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
