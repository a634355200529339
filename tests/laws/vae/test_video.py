"""Every law of codes of clips passes the right answer and catches each planted bug."""

import math

import torch
from torch import nn

from gmcourse.autoregressive.generation import generate
from gmcourse.laws.vae import video
from gmcourse.vae.bricks import codes_ahead, flatten_codes, unflatten_codes
from gmcourse.vae.video import continued, video_networks


def seeded_conv(kernel, stride=(2, 4, 4), padding=(0, 0, 0), seed=0):
    torch.manual_seed(seed)
    return nn.Conv3d(1, 3, kernel, stride=stride, padding=padding).eval().requires_grad_(False)


def networks():
    torch.manual_seed(0)
    return video_networks((1, 8, 12, 16), 3, width=4)[0].requires_grad_(False)


ENCODER, ONE_SLOT = networks(), seeded_conv((2, 4, 4))
PADDED, SAME = seeded_conv((4, 4, 4), padding=(1, 0, 0)), seeded_conv((3, 4, 4), (1, 4, 4), (1, 0, 0))
PAST = seeded_conv((4, 4, 4))


def past_alone(clips):
    """Two frames before each slot are looked at as well: padding on the side of the past is causal."""
    return PAST(nn.functional.pad(clips, (0, 0, 0, 0, 2, 0)))


def of_one_slot(clips):
    return ONE_SLOT(clips)


def padded(clips):
    return PADDED(clips)


def shifted(clips):
    return ONE_SLOT(nn.functional.pad(clips, (0, 0, 0, 0, 0, 2))[:, :, 2:])


def rows_for_time(clips):
    return ONE_SLOT(clips.transpose(2, 3))


def causal_by_luck(clips):
    """Kernel 3, stride 2, one frame of padding on both sides: slot τ sees frames 2τ − 1 to 2τ + 1, and no later one."""
    return SAME(clips)[:, :, ::2]


def centred(clips):
    return ONE_SLOT(clips - clips.mean((2, 3, 4), keepdim=True))


def batched(clips):
    return ONE_SLOT(clips) - ONE_SLOT(clips).mean(0, keepdim=True)


def summed_back(clips):
    """The past from the wrong end: the cumulative sum of what is still to come."""
    return ONE_SLOT(clips).flip(2).cumsum(2).flip(2)


def first_frames_alone(clips):
    return ONE_SLOT(clips)[:, :, :1].expand(-1, -1, clips.shape[2] // 2, -1, -1)


def blank_first_slot(clips):
    """Later slots are made as they should be; the first holds nothing."""
    bricks = ONE_SLOT(clips)
    return torch.cat([0 * bricks[:, :, :1], bricks[:, :, 1:]], 2)


def told(rows, model, first, kept=True):
    clip = model.decode(rows.view(len(first), *model.places))
    return torch.cat([first, clip[:, :, first.shape[2] :]], 2) if kept else clip


def begun(model, first):
    return model.quantizer.encode(model.encoder(first)).flatten(1)


def length(model):
    return math.prod(model.places)


def decoded_again(model, first):
    known = begun(model, first)
    return told(generate(model.prior, len(first), length(model) - known.shape[1], prompt=known), model, first, False)


def told_nothing(model, first):
    return told(generate(model.prior, len(first), length(model)), model, first)


def told_the_last_code(model, first):
    known = begun(model, first)
    rest = generate(model.prior, len(first), length(model) - known.shape[1], prompt=known[:, -1:])
    return told(torch.cat([known, rest[:, 1:]], 1), model, first)


def columns_first(model, first):
    known = begun(model, first)
    rows = generate(model.prior, len(first), length(model) - known.shape[1], prompt=known)
    slots, r, c = model.places
    return told(rows.view(-1, slots, c, r).transpose(2, 3).reshape(len(first), -1), model, first)


def all_at_once(model, first):
    """Every code predicted from the given ones alone."""
    known = begun(model, first)
    rows = generate(model.prior, len(first), 1, prompt=known)
    return told(torch.cat([known, rows[:, -1:].expand(-1, length(model) - known.shape[1])], 1), model, first)


def some_forgotten(model, first):
    """Codes number 4, 9, 14, … are drawn, and not read afterwards."""
    rows = begun(model, first)
    while rows.shape[1] < length(model):
        read = rows.clone()
        read[:, 4::5] = 0
        rows = torch.cat([rows, generate(model.prior, len(first), 1, prompt=read)[:, -1:]], 1)
    return told(rows, model, first)


def kept_in_the_last_slot(model, first):
    return continued(model, first).roll(2, 2)


def first_clip_for_all(model, first):
    return continued(model, first[:1]).expand(len(first), -1, -1, -1, -1)


RIGHT = {
    video.beginning_is_enough: (ENCODER, of_one_slot, past_alone, causal_by_luck),
    video.raster_order: (
        flatten_codes,
        lambda codes: codes.reshape(len(codes), -1),
        lambda codes: torch.cat([plane.flatten(1) for plane in codes.unbind(1)], 1),
    ),
    video.bricks_are_restored: (unflatten_codes, lambda row, shape: row.reshape(-1, *shape)),
    video.ahead_is_scored: (codes_ahead, lambda parts, given: parts[:, :given].sum(1) - parts.sum(1)),
    video.clips_go_on: (continued,),
}
BUGS = {
    video.beginning_is_enough: {
        "padded in time on both sides": (padded, "dependence"),
        "a slot sees the next": (lambda x: SAME(x)[:, :, 1::2], "dependence"),
        "a slot late": (shifted, "direction"),
        "time and rows exchanged": (rows_for_time, "shape"),
        "the mean of the clip taken off": (centred, "dependence"),
        "the mean of the batch taken off": (batched, "shape"),
        "summed from the end": (summed_back, "dependence"),
        "backwards": (lambda x: ONE_SLOT(x).flip(2), "direction"),
        "all of one slot": (first_frames_alone, "constant"),
        "nothing": (lambda x: 0 * ONE_SLOT(x), "constant"),
        "nothing in the first slot": (blank_first_slot, "constant"),
        "no slots": (lambda x: ONE_SLOT(x).flatten(2), "shape"),
    },
    video.raster_order: {
        "space first": (lambda k: k.permute(0, 2, 3, 1).flatten(1), "direction"),
        "columns first": (lambda k: k.transpose(2, 3).flatten(1), "direction"),
        "rows first": (lambda k: k.transpose(1, 2).flatten(1), "direction"),
        "from the end": (lambda k: k.flatten(1).flip(1), "direction"),
        "the batch with it": (lambda k: k.flatten(), "shape"),
        "half of it": (lambda k: k[:, :, 0].flatten(1), "shape"),
    },
    video.bricks_are_restored: {
        "space first": (lambda k, s: k.view(-1, s[1], s[2], s[0]).permute(0, 3, 1, 2), "direction"),
        "columns first": (lambda k, s: k.view(-1, s[0], s[2], s[1]).transpose(2, 3), "direction"),
        "the sides reversed": (lambda k, s: k.view(-1, *s[::-1]), "shape"),
        "reversed twice": (lambda k, s: k.view(-1, *s[::-1]).permute(0, 3, 2, 1), "direction"),
    },
    video.ahead_is_scored: {
        "all": (lambda parts, given: -parts.sum(1), "constant"),
        "the given ones": (lambda parts, given: -parts[:, :given].sum(1), "direction"),
        "one too few": (lambda parts, given: -parts[:, given + 1 :].sum(1), "constant"),
        "sign": (lambda parts, given: parts[:, given:].sum(1), "sign"),
        "a code": (lambda parts, given: codes_ahead(parts, given) / max(1, parts.shape[1] - given), "reduction"),
        "bits": (lambda parts, given: codes_ahead(parts, given) / math.log(2), "log-mean"),
        "mean over the batch": (lambda parts, given: codes_ahead(parts, given).mean(), "shape"),
        "of the mean clip": (lambda parts, given: codes_ahead(parts, given).mean().expand(len(parts)), "shape"),
    },
    video.clips_go_on: {
        "first frames decoded again": (decoded_again, "constant"),
        "the prior told nothing": (told_nothing, "dependence"),
        "told the last code alone": (told_the_last_code, "dependence"),
        "columns first": (columns_first, "direction"),
        "all codes at once": (all_at_once, ""),
        "every fifth code forgotten": (some_forgotten, ""),
        "the future first": (kept_in_the_last_slot, ""),
        "the first clip for all": (first_clip_for_all, ""),
    },
}
