"""The mind's reader in torch, to be taught. `mind/reader.py` is the same in numpy.

torch is no dependency of the project: nobody but `teach.py` needs this module.
"""

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from switchboard_local.mind.sentences import load_model

RANK, WIDTH, LONGEST, NEAR, SPAN = 32, 384, 64, 96, 64
MATRICES = (
    *(f"attention.self.{name}" for name in ("query", "key", "value")),
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


class States:
    """What was read of some texts: a state for each token, and one for each text."""

    def __init__(self, tokens, there, encodings):
        self.tokens, self.there, self.encodings = tokens, there, encodings
        mean = (tokens * there[:, :, None]).sum(1) / there.sum(1, keepdim=True)
        self.whole = F.normalize(mean, dim=-1)

    def inner(self):
        """Which tokens are words: neither the first, the last, nor filling."""
        inner = self.there.clone()
        inner[:, 0] = 0
        inner[torch.arange(len(inner)), self.there.sum(1).long() - 1] = 0
        return inner

    def __getitem__(self, rows):
        return States(self.tokens[rows], self.there[rows], [self.encodings[n] for n in rows])


class Pupil:
    """The encoder, its matrices corrected by what is learnt, and the heads upon it."""

    def __init__(self, folder=None) -> None:
        model = load_model(folder)
        self.fixed = {name: torch.from_numpy(each) for name, each in model.tensors.items()}
        self.tokenizer = Tokenizer.from_buffer(model.tokenizer)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(LONGEST)
        self.corrections, self.heads = {}, {}
        for layer in range(6):
            for name in MATRICES:
                matrix = f"encoder.layer.{layer}.{name}"
                out, into = self.fixed[f"{matrix}.weight"].shape
                into_rank = torch.nn.Parameter(torch.randn(RANK, into) / into**0.5)
                self.corrections[matrix] = (into_rank, torch.nn.Parameter(torch.zeros(out, RANK)))
        for task in ("tool", "choice"):
            self._head(f"{task}.near", torch.randn(NEAR, WIDTH) / WIDTH**0.5)
            self._head(f"{task}.gate", torch.zeros(WIDTH))
            self._head(f"{task}.scales", torch.tensor([2.5, 2.5]))
        self._head("tool.none", torch.zeros(WIDTH + 1))
        self._head("choice.none", torch.zeros(WIDTH + 1))
        self._head("choice.open", torch.randn(2, SPAN, WIDTH) * 0.02)
        for name in ("first", "last"):
            self._head(f"span.{name}", torch.randn(2, SPAN, WIDTH) / WIDTH**0.5)

    def _head(self, name, value) -> None:
        self.heads[name] = torch.nn.Parameter(value)

    def parameters(self):
        return [each for two in self.corrections.values() for each in two], list(
            self.heads.values()
        )

    def read(self, texts, drop=0.0) -> States:
        encodings = self.tokenizer.encode_batch(texts)
        lengths = torch.tensor([len(one.ids) for one in encodings])
        there = (torch.arange(int(lengths.max()))[None] < lengths[:, None]).float()
        # Only what is there is computed: tokens of all texts in one row, apart but for attention.
        rows, places = there.nonzero(as_tuple=True)
        part = "embeddings."
        x = self.fixed[f"{part}word_embeddings.weight"][
            torch.tensor([n for one in encodings for n in one.ids])
        ]
        x = x + self.fixed[f"{part}position_embeddings.weight"][places]
        x = self._norm(x + self.fixed[f"{part}token_type_embeddings.weight"][0], f"{part}LayerNorm")
        hidden = ((1 - there) * -1e9)[:, None, None, :]
        for layer in range(6):
            x = self._layer(F.dropout(x, drop) if drop else x, layer, hidden, rows, places)
        tokens = x.new_zeros((*there.shape, WIDTH)).index_put((rows, places), x)
        return States(tokens, there, encodings)

    def _through(self, x, matrix):
        into_rank, out_of_rank = self.corrections[matrix]
        fixed = F.linear(x, self.fixed[f"{matrix}.weight"], self.fixed[f"{matrix}.bias"])
        return fixed + F.linear(F.linear(x, into_rank), out_of_rank)

    def _norm(self, x, name):
        weight, bias = self.fixed[f"{name}.weight"], self.fixed[f"{name}.bias"]
        return F.layer_norm(x, (WIDTH,), weight, bias, 1e-12)

    def _layer(self, x, at, hidden, rows, places):
        layer = f"encoder.layer.{at}"
        mixed = torch.cat([self._through(x, f"{layer}.{name}") for name in MATRICES[:3]], -1)
        count, _, _, longest = hidden.shape
        apart = mixed.new_zeros((count, longest, 3 * WIDTH)).index_put((rows, places), mixed)
        query, key, value = apart.view(count, longest, 3, 12, 32).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=hidden)
        seen = seen.transpose(1, 2).reshape(count, longest, WIDTH)[rows, places]
        seen = self._through(seen, f"{layer}.{MATRICES[3]}")
        x = self._norm(x + seen, f"{layer}.attention.output.LayerNorm")
        inner = F.gelu(self._through(x, f"{layer}.{MATRICES[4]}"), approximate="tanh")
        out = self._through(inner, f"{layer}.{MATRICES[5]}")
        return self._norm(x + out, f"{layer}.output.LayerNorm")

    def likeness(self, task, said: States, told: States):
        """One row for each request, a column for each text it may mean."""
        scales = self.heads[f"{task}.scales"].exp()
        near = self.heads[f"{task}.near"]
        mine = F.normalize(F.linear(said.tokens, near), dim=-1)
        theirs = F.normalize(F.linear(told.tokens, near), dim=-1)
        each = torch.einsum("bnd,kmd->bknm", mine, theirs)
        each = each.masked_fill(told.inner()[None, :, None, :] == 0, -1.0).amax(3)
        gate = said.tokens @ self.heads[f"{task}.gate"]
        gate = gate.masked_fill(said.inner() == 0, -1e9).softmax(1)
        matched = torch.einsum("bkn,bn->bk", each, gate)
        return scales[0] * said.whole @ told.whole.T + scales[1] * matched

    def no_tool(self, said: States):
        head = self.heads["tool.none"]
        return 10 * (said.whole @ head[:-1]) + 10 * head[-1]

    def no_choice(self, said: States, slots: States):
        """One row for each request, a column for each slot."""
        mine, its = self.heads["choice.open"]
        head = self.heads["choice.none"]
        met = 4 * (said.whole @ mine.T) @ (slots.whole @ its.T).T
        return met + 10 * (slots.whole @ head[:-1]) + 10 * head[-1]

    def spans(self, said: States, slot: States):
        """For request n and slot n: scores of each token to be the first, and the last, of it.

        Token 0, which stands for no word, is where a slot that nobody spoke of begins and ends.
        """
        scores = []
        for name in ("first", "last"):
            token, asked = self.heads[f"span.{name}"]
            mine = F.linear(said.tokens, token)
            its = F.linear(slot.whole, asked) * 2.0
            score = torch.einsum("bnd,bd->bn", mine, its)
            allowed = said.inner()
            allowed[:, 0] = 1
            scores.append(score.masked_fill(allowed == 0, -1e9))
        return scores

    def lesson(self):
        """What was learnt, as `learnt.npz` holds it."""
        pairs = {f"{name}.{side}": each for name, two in self.corrections.items()
                 for side, each in zip("AB", two, strict=True)}  # fmt: skip
        every = {**pairs, **{f"head.{name}": each for name, each in self.heads.items()}}
        return {name: each.detach().numpy().astype(np.float16) for name, each in every.items()}

    def recall(self, stored) -> None:
        """Takes back what `lesson` gave."""
        with torch.no_grad():
            for name, (a, b) in self.corrections.items():
                a.copy_(torch.from_numpy(stored[f"{name}.A"].astype(np.float32)))
                b.copy_(torch.from_numpy(stored[f"{name}.B"].astype(np.float32)))
            for name, each in self.heads.items():
                each.copy_(torch.from_numpy(stored[f"head.{name}"].astype(np.float32)))
