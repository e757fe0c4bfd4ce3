"""Teaches the mind's reader, and weighs its evidence, from the callers beside this file.

    uv run --with torch python -m tests.local.mind.teach lesson OUT.npz [--minutes 35]
    uv run --with torch python -m tests.local.mind.teach weights
    uv run --with torch python -m tests.local.mind.teach judge

`lesson` fine-tunes the sentence encoder by low-rank corrections, and the heads of `pupil.py`, so
that a request comes near the tool and the choices it means, and points at its own words where they
are an argument. The businesses `HELD_OUT` are never taught: `judge` tells how well the lesson in
use reads *those*, and `weights` fits what `mind/weights.py` holds on them alone, so that the
weights do not trust the lesson more than it deserves.

torch is no dependency of the project: nobody but this script and `pupil.py` needs it.
"""

import argparse
import random
import re
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from switchboard_local.mind.catalogue import Slot
from switchboard_local.mind.evidence import FEATURES
from switchboard_local.mind.meaning import Meaning
from switchboard_local.mind.reader import Reader, choice_text, load_lesson, slot_text, tool_texts
from switchboard_local.mind.router import Router
from switchboard_local.mind.senses import measured, sense
from switchboard_local.mind.sentences import Sentences, load_model
from switchboard_local.mind.vectors import load_embeddings
from switchboard_local.mind.wordlists import in_order
from tests.local.mind.lessons import businesses, prose
from tests.local.mind.pupil import Pupil

HELD_OUT = in_order(
    "bike_sharing campsite hairdresser optician tax_office theatre_box_office credit_union "
    "wedding_venue pension_provider aquarium cloud_backup_service domain_registrar "
    "home_nursing meals_on_wheels nutritionist sleep_lab translation_agency youth_hostel "
    "pizza_delivery bus_company lost_property_office laundry_and_dry_cleaning car_insurance "
)
REQUESTS, STRANGERS, CHOICES, SPANS = 28, 5, 16, 24
"""Of one business in one step: its requests, requests of others, and arguments looked at."""
RATE, DROP, EPOCHS = 1e-3, 0.05, 4
BOUNDS = {"opposite": (-9.0, -1.0), "odd": (-9.0, -0.3), "coded": (0.8, 9.0)}
"""What is known without learning: a tool of the opposite effect is never meant."""
STRENGTHS = (
    *("cover", "gist", "bm25", "object", "concept", "soft", "text", "name", "conflict", "filled"),
    *("odd", "apart", "choice", "told", "own", "learnt"),
)


class Told:
    """The two texts of each tool as one."""

    def __init__(self, one, other) -> None:
        self.whole = F.normalize(one.whole + other.whole, dim=-1)
        self.tokens = torch.cat([one.tokens, other.tokens], 1)
        self._inner = torch.cat([one.inner(), other.inner()], 1)

    def inner(self):
        return self._inner


def teach(out: Path, minutes: float) -> None:
    torch.manual_seed(0)
    chance = random.Random(0)
    known = businesses()
    taught = sorted(set(known) - set(HELD_OUT))
    pupil = Pupil()
    corrections, heads = pupil.parameters()
    groups = [{"params": corrections, "lr": RATE}, {"params": heads, "lr": 2 * RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = EPOCHS * sum(len(known[name].asked) for name in taught) // (2 * REQUESTS)
    began, queue, losses = time.monotonic(), [], []
    for step in range(steps):
        if len(queue) < 2:
            queue += [
                name for name in taught for _ in range(-(-len(known[name].asked) // REQUESTS))
            ]
            chance.shuffle(queue)
        spent = max(step / steps, (time.monotonic() - began) / 60 / minutes)
        if spent >= 1:
            break
        for group, rate in zip(optimizer.param_groups, (RATE, 2 * RATE), strict=True):
            group["lr"] = rate * min(1.0, (step + 1) / 40) * max(0.03, 1 - spent)
        pair = [known[queue.pop()], known[queue.pop()]]
        loss = sum(_loss(pupil, one, [known[name] for name in taught], chance) for one in pair)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*corrections, *heads], 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % 50 == 49:
            print(f"{step + 1} of {steps}, loss {np.mean(losses[-50:]):.3f}", flush=True)
    np.savez_compressed(out, **pupil.lesson())


def _loss(pupil, business, all_taught, chance):
    """Of a part of one business's requests: its tools, its choices, its spans."""
    tools = business.tools
    asked = chance.sample(business.asked, min(REQUESTS, len(business.asked)))
    bare = [chance.random() < 0.3 for _ in asked]
    texts = [_bare(one.text) if so else one.text for one, so in zip(asked, bare, strict=True)]
    strangers = [chance.choice(chance.choice(all_taught).asked).text for _ in range(STRANGERS)]
    said = pupil.read(texts + strangers, DROP)
    views = zip(*(tool_texts(tool) for tool in tools), strict=True)
    told = Told(*(pupil.read(list(view), DROP) for view in views))
    right = [one.place if one.place >= 0 else len(tools) for one in asked]
    scores = torch.cat([pupil.likeness("tool", said, told), pupil.no_tool(said)[:, None]], 1)
    # A stranger's request may by chance be one that is served here.
    trust = torch.tensor([1.0] * len(asked) + [0.4] * STRANGERS)
    wanted = torch.tensor(right + [len(tools)] * STRANGERS)
    each = F.cross_entropy(scores, wanted, label_smoothing=0.05, reduction="none")
    loss = (each * trust).sum() / trust.sum()
    choices, spans = _targets(tools, asked, bare, texts, said.encodings)
    if choices:
        some = chance.sample(choices, min(CHOICES, len(choices)))
        loss = loss + 0.7 * _choice_loss(pupil, said, some)
    if spans:
        some = chance.sample(spans, min(SPANS, len(spans)))
        loss = loss + 0.4 * _span_loss(pupil, said, some)
    return loss


def _targets(tools, asked, bare, texts, encodings):
    """(request, slot, place of the choice or one past the last) and (request, slot, tokens)."""
    choices, spans = [], []
    for at, one in enumerate(asked):
        if one.place < 0 or one.said is None:
            continue
        for slot in tools[one.place].slots:
            said = one.said.get(slot.name)
            if _listed(slot) and (said is None or said in slot.choices):
                place = len(slot.choices) if said is None else slot.choices.index(said)
                choices.append((at, slot, place))
            elif prose(slot):
                words = _bare(said) if said and bare[at] else said
                tokens = (0, 0) if said is None else _tokens(encodings[at], texts[at], words)
                if tokens:
                    spans.append((at, slot, tokens))
    return choices, spans


def _choice_loss(pupil, said, targets):
    slots = _distinct(slot for _, slot, _ in targets)
    texts = list(dict.fromkeys(choice_text(s, c) for s in slots.values() for c in s.choices))
    places = {text: at for at, text in enumerate(texts)}
    mine = said[[at for at, _, _ in targets]]
    near = pupil.likeness("choice", mine, pupil.read(texts, DROP))
    none = pupil.no_choice(mine, pupil.read([slot_text(slot) for slot in slots.values()], DROP))
    columns = {key: at for at, key in enumerate(slots)}
    loss = torch.zeros(())
    for row, (_, slot, place) in enumerate(targets):
        scores = near[row, [places[choice_text(slot, choice)] for choice in slot.choices]]
        scores = torch.cat([scores, none[row, columns[slot.tool, slot.name]][None]])
        loss = loss + F.cross_entropy(scores[None], torch.tensor([place]), label_smoothing=0.02)
    return loss / len(targets)


def _span_loss(pupil, said, targets):
    slots = _distinct(slot for _, slot, _ in targets)
    columns = {key: at for at, key in enumerate(slots)}
    about = pupil.read([slot_text(slot) for slot in slots.values()], DROP)
    about = about[[columns[slot.tool, slot.name] for _, slot, _ in targets]]
    both = pupil.spans(said[[at for at, _, _ in targets]], about)
    return sum(
        F.cross_entropy(scores, torch.tensor([tokens[end] for _, _, tokens in targets]))
        for end, scores in enumerate(both)
    )


def _distinct(slots):
    return {(slot.tool, slot.name): slot for slot in slots}


def _listed(slot: Slot) -> bool:
    return len(slot.choices) > 1 and all(isinstance(choice, str) for choice in slot.choices)


def _bare(text: str) -> str:
    return re.sub(r"[.,?!]", "", text)


def _tokens(encoding, text: str, words: str):
    """The first and the last token of `words` in `text`; `None` where they are not in it."""
    begin = text.lower().find(words.lower())
    if begin < 0 or not words:
        return None
    end = begin + len(words)
    inside = [at for at, (a, b) in enumerate(encoding.offsets) if b > a and a < end and b > begin]
    return (inside[0], inside[-1]) if inside else None


def judge() -> None:
    """Print how well the lesson in use reads businesses it was never taught."""
    model, lesson = load_model(), load_lesson()
    reader, known = Reader(Sentences(model, lesson), lesson), businesses()
    first, none, choice, span = [], [], [], []
    for name in sorted(HELD_OUT):
        business = known[name]
        told = reader.tell_tools(business.tools)
        for one in business.asked:
            scores = reader.tools(one.text, told)
            if one.place < 0:
                none.append(scores.max() < 0)
                continue
            first.append(int((scores > scores[one.place]).sum()))
            for slot in business.tools[one.place].slots if one.said is not None else ():
                said = (one.said or {}).get(slot.name)
                if _listed(slot) and (said is None or said in slot.choices):
                    best = int(np.argmax(reader.choice(slot, one.text)))
                    right = len(slot.choices) if said is None else slot.choices.index(said)
                    choice.append((said is not None, best < len(slot.choices), best == right))
                elif prose(slot):
                    found = reader.span(slot, one.text)
                    right = _plain(found.text if found else "") == _plain(said or "")
                    span.append((said is not None, found is not None, right))
    places = [np.mean([place <= most for place in first]) for most in range(3)]
    print("the right tool among the first 1, 2, 3:", *(f"{share:.3f}" for share in places))
    print(f"declined what nobody serves: {np.mean(none):.3f} of {len(none)}")
    for what, found in (("choices", choice), ("spans", span)):
        recall = np.mean([right for said, _, right in found if said])
        precision = np.mean([right for _, given, right in found if given])
        print(f"{what}: recall {recall:.3f}, precision {precision:.3f} of {len(found)}")


def _plain(text: str) -> str:
    return re.sub(r"^(?:the|an?|my|our)\s+|\W", "", text.lower())


def weigh() -> None:
    """Print the weights that `mind/weights.py` holds for a mind with the encoder."""
    model, lesson, embeddings = load_model(), load_lesson(), load_embeddings()
    plain, reader = Sentences(model), Reader(Sentences(model, lesson), lesson)
    known = businesses()
    rows = {name: _evidence(known[name], plain, reader, embeddings) for name in sorted(HELD_OUT)}
    print("router, each business held out:", _cross_validated(rows).round(3))
    router = _router_weights([one for each in rows.values() for one in each])
    print({name: round(float(x), 2) for name, x in zip(FEATURES, router, strict=True)})
    print(*_strength_weights(rows, router), sep="\n")


def _evidence(business, plain, reader, embeddings):
    router = Router(business.tools, lambda cards: Meaning(cards, embeddings))
    sensed = sense(business.tools, plain, reader)
    found = []
    for one in business.asked:
        row = np.array(router.features(one.text))
        row[:, 19:22] = measured(sensed, plain.of(one.text), reader.tools(one.text, sensed.told))
        found.append((row, one.place))
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
    parser.add_argument("what", choices=("lesson", "weights", "judge"))
    parser.add_argument("out", type=Path, nargs="?", help="where the lesson goes")
    parser.add_argument("--minutes", type=float, default=35.0, help="the longest it may take")
    options = parser.parse_args()
    if options.what == "lesson":
        teach(options.out, options.minutes)
    elif options.what == "weights":
        weigh()
    else:
        judge()


if __name__ == "__main__":
    main()
