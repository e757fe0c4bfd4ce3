"""Teaches the mind's encoder, and weighs its evidence, from the callers beside this file.

    uv run --with torch python -m tests.local.mind.teach lesson [--held-out] OUT.npz
    uv run --with torch python -m tests.local.mind.teach weights HELD_OUT.npz

`lesson` fine-tunes the sentence encoder by low-rank corrections (LoRA, rank 16) so that a request
comes near the tool it means and far from the business's others; about six minutes on two cores.
With `--held-out` it leaves out some businesses and prints how often the right tool of *those* comes
first, second and third. `weights` takes a lesson that has not seen them and fits, on them alone,
what `mind/weights.py` holds: so that the weights do not trust the lesson more than it deserves.

torch is no dependency of the project: nobody but this script needs it.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from switchboard_local.mind.catalogue import read_tools
from switchboard_local.mind.evidence import FEATURES
from switchboard_local.mind.meaning import Meaning
from switchboard_local.mind.router import Router
from switchboard_local.mind.senses import measured, sense, views
from switchboard_local.mind.sentences import Sentences, load_model
from switchboard_local.mind.vectors import load_embeddings

DATA = Path(__file__).parent / "data"
HELD_OUT = frozenset(
    {"bike_sharing", "campsite", "hairdresser", "optician", "tax_office", "theatre_box_office"}
    | {"credit_union", "wedding_venue", "pension_provider"}
)
RANK, GAIN, EPOCHS, RATE = 16, 1.0, 6, 1e-3
MATRICES = (
    *(f"attention.self.{name}" for name in ("query", "key", "value")),
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
BOUNDS = {"opposite": (-9.0, -1.5), "odd": (-9.0, -0.5), "coded": (1.2, 9.0)}
"""What is known without learning: a tool of the opposite effect is never meant."""
STRENGTHS = (
    *("cover", "gist", "bm25", "object", "concept", "soft", "text", "name", "conflict", "filled"),
    *("odd", "apart", "choice", "told", "own", "learnt"),
)


def businesses():
    """By name: its tools, and its requests as (text, place of the tool, or -1 for none)."""
    found = {}
    for name in ("callers", "development", "indirect"):
        one = json.loads((DATA / f"{name}.json").read_text())
        for key, toolset in one["toolsets"].items():
            tools = read_tools(toolset["tools"])
            places = {tool.name: at for at, tool in enumerate(tools)}
            asked = [
                (r["text"], places.get(r["tool"], -1))
                for r in one["requests"]
                if r["toolset"] == key
            ]
            known = found.setdefault(key if name == "callers" else f"{name}_{key}", (tools, []))
            known[1].extend(asked)
    return found


class Pupil:
    """The encoder in torch, its matrices corrected by what is to be learnt."""

    def __init__(self) -> None:
        model = load_model()
        self.fixed = {name: torch.from_numpy(each) for name, each in model.tensors.items()}
        self.tokenizer = Tokenizer.from_buffer(model.tokenizer)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(48)
        self.learnt = {}
        for layer in range(6):
            for name in MATRICES:
                matrix = f"encoder.layer.{layer}.{name}"
                out, into = self.fixed[f"{matrix}.weight"].shape
                into_rank = torch.nn.Parameter(torch.randn(RANK, into) / into**0.5)
                self.learnt[matrix] = (into_rank, torch.nn.Parameter(torch.zeros(out, RANK)))

    def _through(self, x, matrix):
        into_rank, out_of_rank = self.learnt[matrix]
        fixed = F.linear(x, self.fixed[f"{matrix}.weight"], self.fixed[f"{matrix}.bias"])
        return fixed + GAIN * F.linear(F.linear(x, into_rank), out_of_rank)

    def _norm(self, x, name):
        weight, bias = self.fixed[f"{name}.weight"], self.fixed[f"{name}.bias"]
        return F.layer_norm(x, (384,), weight, bias, 1e-12)

    def read(self, texts, drop=0.0):
        """One row of 384, of unit length, for each text."""
        ids = [self.tokenizer.encode(text).ids for text in texts]
        longest = max(map(len, ids))
        tokens = torch.tensor([one + [0] * (longest - len(one)) for one in ids])
        there = torch.tensor([[1.0] * len(one) + [0.0] * (longest - len(one)) for one in ids])
        part = "embeddings."
        x = self.fixed[f"{part}word_embeddings.weight"][tokens]
        x = x + self.fixed[f"{part}position_embeddings.weight"][:longest]
        x = self._norm(x + self.fixed[f"{part}token_type_embeddings.weight"][0], f"{part}LayerNorm")
        hidden = ((1 - there) * -1e9)[:, None, None, :]
        for layer in range(6):
            x = self._layer(F.dropout(x, drop) if drop else x, f"encoder.layer.{layer}", hidden)
        mean = (x * there[:, :, None]).sum(1) / there.sum(1, keepdim=True)
        return F.normalize(mean, dim=-1)

    def _layer(self, x, layer, hidden):
        count, longest, _ = x.shape
        query, key, value = (
            self._through(x, f"{layer}.{name}").view(count, longest, 12, 32).transpose(1, 2)
            for name in MATRICES[:3]
        )
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=hidden)
        seen = seen.transpose(1, 2).reshape(count, longest, 384)
        seen = self._through(seen, f"{layer}.{MATRICES[3]}")
        x = self._norm(x + seen, f"{layer}.attention.output.LayerNorm")
        inner = F.gelu(self._through(x, f"{layer}.{MATRICES[4]}"), approximate="tanh")
        out = self._through(inner, f"{layer}.{MATRICES[5]}")
        return self._norm(x + out, f"{layer}.output.LayerNorm")

    def lesson(self):
        """What was learnt, as `learnt.npz` holds it."""
        pairs = {f"{name}.{side}": each for name, two in self.learnt.items()
                 for side, each in zip("AB", two, strict=True)}  # fmt: skip
        return {name: each.detach().numpy().astype(np.float16) for name, each in pairs.items()}


def teach(out: Path, *, held_out: bool) -> None:
    torch.manual_seed(0)
    random.seed(0)
    known = businesses()
    taught = [name for name in sorted(known) if not (held_out and name in HELD_OUT)]
    pupil, scale = Pupil(), torch.nn.Parameter(torch.tensor(3.0))
    learnt = [each for two in pupil.learnt.values() for each in two]
    groups = [{"params": learnt, "lr": RATE}, {"params": [scale], "lr": 1e-2}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    done = 0
    for epoch in range(EPOCHS):
        random.shuffle(taught)
        for at in range(0, len(taught), 2):
            loss = _loss(pupil, scale, [known[name] for name in taught[at : at + 2]])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learnt, 1.0)
            optimizer.param_groups[0]["lr"] = RATE * max(0.05, 1 - done / (EPOCHS * len(taught)))
            optimizer.step()
            done += 2
        print("epoch", epoch, _places(pupil, known) if held_out else "", flush=True)
    np.savez_compressed(out, **pupil.lesson())


def _loss(pupil, scale, pair):
    """Of each request, to be told from its business's tools and, less, from another's."""
    told = [pupil.read([_some_view(tool) for tool in tools], 0.05) for tools, _ in pair]
    loss = torch.zeros(())
    for at, (_, asked) in enumerate(pair):
        meant = [(text, place) for text, place in asked if place >= 0]
        meant = random.sample(meant, min(56, len(meant)))
        if not meant:
            continue
        requests = pupil.read([text for text, _ in meant], 0.05)
        others = torch.cat([told[at][:0], *(one for i, one in enumerate(told) if i != at)])
        near = torch.cat([requests @ told[at].T, requests @ others.T - 0.05], 1) * scale.exp()
        right = torch.tensor([place for _, place in meant])
        loss = loss + F.cross_entropy(near, right, label_smoothing=0.05)
    return loss


def _some_view(tool):
    every = views(tool)
    return random.choice(every[:3]) if random.random() < 0.7 else every[1]


def _places(pupil, known):
    firsts = np.zeros(3)
    count = 0
    with torch.no_grad():
        for name in sorted(HELD_OUT):
            tools, asked = known[name]
            told = torch.stack([pupil.read(views(tool)).mean(0) for tool in tools])
            meant = [(text, place) for text, place in asked if place >= 0]
            order = (pupil.read([t for t, _ in meant]) @ told.T).argsort(1, descending=True)
            for row, (_, place) in zip(order.tolist(), meant, strict=True):
                firsts += row.index(place) <= np.arange(3)
                count += 1
    return (firsts / count).round(3)


def weigh(lesson: Path) -> None:
    """Print the weights that `mind/weights.py` holds for a mind with the encoder."""
    model, embeddings = load_model(), load_embeddings()
    plain = Sentences(model)
    with np.load(lesson) as stored:
        taught = Sentences(model, {n: stored[n].astype(np.float32) for n in stored.files})
    known = businesses()
    rows = {name: _evidence(*known[name], plain, taught, embeddings) for name in sorted(HELD_OUT)}
    print("router, each business held out:", _cross_validated(rows).round(3))
    router = _router_weights([one for each in rows.values() for one in each])
    print({name: round(float(x), 2) for name, x in zip(FEATURES, router, strict=True)})
    print(*_strength_weights(rows, router), sep="\n")


def _evidence(tools, asked, plain, taught, embeddings):
    router = Router(tools, lambda cards: Meaning(cards, embeddings))
    sensed = sense(tools, plain, taught)
    found = []
    for text, place in asked:
        row = np.array(router.features(text))
        row[:, 19:22] = measured(sensed, plain.of(text), taught.of(text))
        found.append((row, place))
    return found


def _router_weights(examples, steps=400, shrink=0.002, rate=0.1):
    """Softmax regression, by Adam."""
    meant = [(rows, place) for rows, place in examples if place >= 0]
    widest = max(len(rows) for rows, _ in meant)
    x = np.zeros((len(meant), widest, len(FEATURES)))
    mask = np.full((len(meant), widest), -1e9)
    for at, (rows, _) in enumerate(meant):
        x[at, : len(rows)], mask[at, : len(rows)] = rows, 0
    right = x[np.arange(len(meant)), [place for _, place in meant]]
    w, m, v = (np.zeros(len(FEATURES)) for _ in range(3))
    for step in range(1, steps + 1):
        z = x @ w + mask
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        g = (np.einsum("in,inc->c", p, x) - right.sum(0)) / len(meant) + shrink * w
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
        w -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-8)
    for name, (low, high) in BOUNDS.items():
        at = FEATURES.index(name)
        w[at] = min(max(w[at], low), high)
    return w


def _cross_validated(rows):
    firsts = []
    for name in rows:
        w = _router_weights([one for other, each in rows.items() if other != name for one in each])
        for evidence, place in rows[name]:
            if place >= 0:
                order = np.argsort(-(evidence @ w)).tolist()
                firsts.append(order.index(place) <= np.arange(3))
    return np.mean(firsts, 0)


def _strength_weights(rows, router, steps=4000, shrink=0.002, rate=1.5):
    """Logistic regression: the best tool of a request that means one, against one that does not."""
    columns = [FEATURES.index(name) for name in STRENGTHS]
    x, y = [], []
    for each in rows.values():
        for evidence, place in each:
            z = evidence @ router
            p = np.exp(z - z.max())
            best = int(z.argmax())
            x.append([*evidence[best][columns], p[best] / p.sum(), 1.0])
            y.append(place >= 0)
    x, y = np.array(x), np.array(y, float)
    balance = np.where(y == 1, 1 / y.sum(), 1 / (1 - y).sum())
    w = np.zeros(x.shape[1])
    keep = np.r_[np.ones(len(w) - 1), 0]
    for _ in range(steps):
        p = 1 / (1 + np.exp(-x @ w))
        w -= rate * (x.T @ ((p - y) * balance) / 2 + shrink * w * keep)
    told = {name: round(float(a), 2) for name, a in zip(STRENGTHS, w, strict=False)}
    return told, f"share={w[-2]:.2f}", f"base={w[-1]:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("lesson", "weights"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--held-out", action="store_true")
    options = parser.parse_args()
    if options.what == "lesson":
        teach(options.file, held_out=options.held_out)
    else:
        weigh(options.file)


if __name__ == "__main__":
    main()
