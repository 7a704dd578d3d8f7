"""A model as it is: features, class names alone, preprocessing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import vlpt


@pytest.fixture(scope="module")
def clip(home: Path) -> vlpt.Clip:
    return vlpt.Clip.from_pretrained()


def test_features_of_images_are_those_of_the_command(clip, new, vlpt_of_cargo, tmp_path):
    for flags, normalize in (([], True), (["--raw"], False)):
        out = tmp_path / f"{normalize}.npy"
        command = vlpt_of_cargo("embed", new, "--out", out, *flags)
        assert command.returncode == 0, command.stderr
        made = clip.encode_image(new, normalize=normalize)
        assert made.dtype == np.float32 and np.array_equal(made, np.load(out))
    assert np.allclose(np.linalg.norm(clip.encode_image(new), axis=1), 1, atol=1e-6)


def test_features_under_a_prompt_are_those_of_the_command(prompt, new, vlpt_of_cargo, tmp_path):
    out = tmp_path / "prompt.npy"
    command = vlpt_of_cargo("embed", new, "--prompt", prompt, "--out", out)
    assert command.returncode == 0, command.stderr
    assert np.array_equal(vlpt.Classifier.from_pretrained(prompt).embed(new), np.load(out))


def test_features_of_texts_are_those_of_the_command(clip, vlpt_of_cargo, tmp_path):
    out = tmp_path / "texts.npy"
    command = vlpt_of_cargo("embed", "--text", "a cat", "--text", "two dogs", "--out", out)
    assert command.returncode == 0, command.stderr
    made = clip.encode_text(["a cat", "two dogs"])
    assert np.array_equal(made, np.load(out))
    assert np.array_equal(clip.encode_text("a cat"), made[:1])
    long = "word " * 100
    with pytest.raises(ValueError, match="(?s)tokens, the model takes.*truncate=True"):
        clip.encode_text(long)
    assert clip.encode_text(long, truncate=True).shape == (1, clip.embed_dim)


def test_class_names_alone_answer_as_the_command(clip, new, vlpt_of_cargo):
    files = sorted(new.iterdir())
    command = vlpt_of_cargo("zeroshot", *files, "--classes", "circle,square,triangle", "--json")
    assert command.returncode == 0, command.stderr
    answers = clip.zero_shot(files, ["circle", "square", "triangle"])
    assert (answers.to_json() + "\n").encode() == command.stdout


def test_zero_shot_is_the_softmax_of_scaled_cosines(clip, new):
    classes = ["circle", "square"]
    texts = clip.encode_text([f"a photo of a {name}." for name in classes])
    logits = (clip.logit_scale * clip.encode_image(new).astype(np.float64)) @ texts.T
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = powers / powers.sum(axis=1, keepdims=True)
    made = clip.classifier(classes).predict_proba(new)
    assert np.allclose(made, expected, atol=1e-4)
    other = clip.classifier(classes, templates=["a drawing of a {}.", "{}"]).predict_proba(new)
    assert not np.allclose(other, made, atol=1e-4)
    with pytest.raises(ValueError, match="template"):
        clip.classifier(classes, templates="no place")
    with pytest.raises(TypeError, match="give a list"):
        clip.zero_shot(new, "circle")
    with pytest.raises(ValueError, match="classes is empty"):
        clip.classifier([])


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["a", "b", b"c"], r"\[2\] is bytes: expected a text"),
        (["a", None], r"\[1\] is None: expected a text"),
        ([0, 1], r"\[0\] is int: expected a text"),
        (np.array([0.5]), r"\[0\] is float64: expected a text"),
        ([["a"]], r"\[0\] is list: expected a text"),
    ],
)
def test_what_is_no_text_is_named_by_its_place(clip, run, values, found):
    with pytest.raises(TypeError, match=f"^texts{found}"):
        clip.encode_text(values)
    with pytest.raises(TypeError, match=f"^classes{found}"):
        clip.classifier(values)
    with pytest.raises(TypeError, match=f"^templates{found}"):
        clip.classifier(["a", "b"], templates=values)
    with pytest.raises(TypeError, match=f"^classes{found}"):
        vlpt.Classifier.from_pretrained(run, classes=values)


def test_texts_and_templates_may_be_arrays(clip, new):
    names, templates = ["circle", "square"], ["a drawing of a {}.", "{}"]
    assert np.array_equal(clip.encode_text(np.array(names)), clip.encode_text(names))
    expected = clip.classifier(names, templates).predict_proba(new)
    assert np.array_equal(clip.classifier(np.array(names), np.array(templates)).predict_proba(new), expected)
    for none in ([], (), np.array([], dtype=str)):
        with pytest.raises(ValueError, match="templates is empty"):
            clip.classifier(names, none)


def test_the_tensor_is_that_of_the_command(clip, new, vlpt_of_cargo, tmp_path):
    path, out = sorted(new.iterdir())[0], tmp_path / "tensor.npy"
    command = vlpt_of_cargo("preprocess", path, "--out", out)
    assert command.returncode == 0, command.stderr
    made = clip.preprocess(path)
    assert made.shape == (1, 3, clip.image_size, clip.image_size)
    assert np.array_equal(made.ravel(), np.load(out).ravel())


def test_a_model_says_what_it_is(clip):
    assert clip.name == "mini-clip" and clip.precision == "f32"
    assert 1 < clip.logit_scale < 200 and clip.context_length > 10
    assert len(clip.fingerprint) == 64 and "mini-clip" in repr(clip)


def test_a_classifier_shares_its_model(run, new):
    classifier = vlpt.Classifier.from_pretrained(run)
    assert vlpt.Clip.of(classifier).fingerprint == vlpt.Clip.from_pretrained().fingerprint
    assert vlpt.Clip.of(classifier).encode_image(new).shape[0] == 39


def test_models_that_are_not_there_say_so(home, tmp_path):
    with pytest.raises(ValueError, match="(?s)unknown model name.*hint"):
        vlpt.Clip.from_pretrained("no such model")
    with pytest.raises(vlpt.Error, match="offline") as caught:
        vlpt.Clip.from_pretrained("openai/clip-vit-base-patch16")
    assert "mini-clip" in caught.value.hint and caught.value.hint in str(caught.value)
    with pytest.raises(vlpt.Error, match="no model.safetensors"):
        vlpt.Clip.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="precision=f64: expected auto, f32 or bf16"):
        vlpt.Clip.from_pretrained("mini-clip", precision="f64")


def test_a_prompt_of_another_model_is_refused(run, tmp_path, vlpt_of_cargo):
    import json
    import shutil

    other = tmp_path / "other"
    shutil.copytree(run / "prompt", other)
    (other / "checksums.sha256").unlink()
    config = json.loads((other / "adapter_config.json").read_text())
    config["base_model_fingerprint"] = "0" * 64
    (other / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(vlpt.Error, match="(?s)was tuned for.*force=True"):
        vlpt.Classifier.from_pretrained(other)
    assert vlpt.Classifier.from_pretrained(other, force=True).classes == ["circle", "square", "triangle"]


def test_folders_that_hold_no_prompt_say_so(tmp_path, run):
    with pytest.raises(FileNotFoundError, match="(?s)adapter_config.json.*hint"):
        vlpt.Classifier.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="learned its 3 classes"):
        vlpt.Classifier.from_pretrained(run, classes=["one", "two"])
    damaged = tmp_path / "damaged"
    vlpt.Classifier.from_pretrained(run).save(damaged)
    (damaged / "class_names.txt").write_text("a\nb\n")
    with pytest.raises(vlpt.Error, match="class_names.txt"):
        vlpt.Classifier.from_pretrained(damaged)
    with pytest.raises(FileExistsError):
        vlpt.Classifier.from_pretrained(run).save(damaged)
