"""What the explorers share: a script joined from its modules, and the checks of what a page is given to run."""

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

_IMPORT = re.compile(r'^import \{ ((?:\w+, )*\w+) \} from "(\.\.?/[\w./]+\.js)";\n', re.MULTILINE)
_NAMED = re.compile(r"^(?:export )?(?:async )?(?:function\*?|class|const|let) (\w+|[\[{].*?[\]}] =)", re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:async )?(?:function\*?|class|const) (\w+)", re.MULTILINE)
_UNREAD = re.compile(r"^(?:import\b|export (?!async |function|class|const)).*", re.MULTILINE)
_DEFAULT = re.compile(r"^export default .*\n", re.MULTILINE)
_ACTIVATIONS = {nn.ReLU: "relu", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid"}
_RUN_ONLY = {nn.SiLU: "silu"}  # what an output is made of does not tell its slope
_SHAPES_ONLY = (nn.Identity, nn.Dropout, nn.Flatten, nn.Unflatten)


def joined(script: Path) -> str:
    """An ES module and all that it imports as one, each module once and before those that import it.

    An import is a line `import { a, b } from "./x.js";`. What the others export is a name of the one module, whose only
    export is the default of `script`. Raises ValueError, with the file, for an import in a circle, of a missing file or
    of a name that is not exported, for any other form of import or export, and for a name that two modules give.
    """
    sources: dict[Path, str] = {}
    _gather(script.resolve(), (), sources)
    given: dict[str, str] = {}
    for path, source in sources.items():
        for name in re.findall(r"\w+", " ".join(_NAMED.findall(source))):
            if given.setdefault(name, path.name) != path.name:
                raise ValueError(
                    f"{path.name}: got a second {name} beside that of {given[name]}, expected one of a name"
                )
    *shared, last = sources.values()
    return "\n".join([*(re.sub(r"^export ", "", source, flags=re.MULTILINE) for source in shared), last])


def _gather(path: Path, above: tuple[Path, ...], sources: dict[Path, str]) -> None:
    """Adds what `path` imports, then `path` itself without its imports; `above` leads from the first script to it."""
    if path in above:
        circle = " → ".join(module.name for module in (*above[above.index(path) :], path))
        raise ValueError(f"{path.name}: got imports in a circle, {circle}, expected none")
    if path in sources:
        return
    if not path.is_file():
        raise ValueError(f"{(*above, path)[-2:][0].name}: got {path.name}, expected a script that is there")
    source = path.read_text("utf-8")
    for names, target in _IMPORT.findall(source):
        other = (path.parent / target).resolve()
        _gather(other, (*above, path), sources)
        if unknown := set(names.split(", ")) - set(_EXPORTED.findall(sources[other])):
            raise ValueError(
                f"{path.name}: got an import of {', '.join(sorted(unknown))}, not exported by {other.name}"
            )
    rest = _IMPORT.sub("", source)
    if odd := _UNREAD.search(rest if above else _DEFAULT.sub("", rest)):
        raise ValueError(
            f"{path.name}: got {odd[0]!r}, expected `import {{ a, b }} from` a script, or `export function`"
        )
    sources[path] = rest


def layers_of(
    network: nn.Sequential, name: str = "decoder", *, learns: bool = False
) -> tuple[list[list[int] | str], bytes]:
    """What `mlp.js` runs: [inputs, outputs] or an activation's name for each layer, and all weights as float32.

    Dropout rests and changes of shape do nothing to a flat vector; a leaky ReLU has the slope 0.2. A network that
    `learns` in the page has no SiLU and no Hardtanh(0, 1). Raises TypeError for any other layer, with the `name` of the
    argument.
    """
    if not isinstance(network, nn.Sequential):
        raise TypeError(f"{name}: got {type(network).__name__}, expected an nn.Sequential")
    activations = _ACTIVATIONS if learns else _ACTIVATIONS | _RUN_ONLY
    layers: list[list[int] | str] = []
    numbers: list[Tensor] = []
    for layer in _flatten(network):
        if isinstance(layer, nn.Linear):
            layers.append([layer.in_features, layer.out_features])
            bias = layer.bias if layer.bias is not None else torch.zeros(layer.out_features)
            numbers += [layer.weight.detach().flatten(), bias.detach()]
        elif isinstance(layer, nn.LeakyReLU) and layer.negative_slope == 0.2:
            layers.append("leaky_relu")
        elif isinstance(layer, nn.Hardtanh) and (layer.min_val, layer.max_val) == (0, 1) and not learns:
            layers.append("clamp")
        elif type(layer) in activations:
            layers.append(activations[type(layer)])
        elif not isinstance(layer, _SHAPES_ONLY):
            raise TypeError(f"{name}: got a layer {type(layer).__name__}, {_expected(activations, learns)}")
    weights = torch.cat([part.cpu() for part in numbers]) if numbers else torch.zeros(0)
    return layers, float_bytes(weights)


def float_bytes(numbers: Tensor) -> bytes:
    """As the page reads them: float32, the least byte first, whatever the machine."""
    return numbers.detach().cpu().contiguous().numpy().astype("<f4").tobytes()


def _expected(activations: Iterable[type], learns: bool) -> str:
    known = ", ".join(kind.__name__ for kind in (nn.Linear, *activations, *_SHAPES_ONLY))
    return f"which the page cannot run; expected {known}, LeakyReLU(0.2)" + ("" if learns else ", Hardtanh(0, 1)")


def _flatten(stack: nn.Sequential) -> Iterator[nn.Module]:
    for layer in stack:
        yield from _flatten(layer) if isinstance(layer, nn.Sequential) else (layer,)


def check_sizes(layers: list[list[int] | str], name: str, inputs: int, outputs: int) -> None:
    """ValueError, with the `name` of the argument, where `layers` do not lead from `inputs` to `outputs` numbers."""
    linear = [layer for layer in layers if not isinstance(layer, str)]
    if not linear or linear[0][0] != inputs or linear[-1][1] != outputs:
        came = f"{linear[0][0]} to {linear[-1][1]}" if linear else "no linear layer"
        raise ValueError(f"{name}: got {came}, expected {inputs} to {outputs} numbers")
    for (_, before), (after, _) in zip(linear, linear[1:], strict=False):
        if before != after:
            raise ValueError(f"{name}: got a layer of {after} inputs, expected the {before} outputs before it")


def checked_points(points: Tensor, name: str, *, most: int | None = None, seed: int = 0) -> Tensor:
    """Points of the plane on the CPU as float32, at most `most` rows of them, drawn by `seed`.

    Raises TypeError and ValueError, with the `name` of the argument, for what is not a Tensor (n, 2), n ≥ 1, finite.
    """
    if not isinstance(points, Tensor):
        raise TypeError(f"{name}: got {type(points).__name__}, expected a Tensor (n, 2)")
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not points.isfinite().all():
        raise ValueError(f"{name}: got {tuple(points.shape)}, expected (n, 2), n at least 1, all finite")
    points = points.detach().cpu().float()
    if most is not None and len(points) > most:
        points = points[torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))[:most]]
    return points


def window_of(points: Tensor, extent: float | None = None) -> tuple[list[float], float]:
    """Centre and half-width of a square window on points (n, 2): `extent`, or a third more than the points need.

    The centre is the origin, or the middle of the points where a window about the origin would be over twice as wide.
    """
    low, high = points.amin(0), points.amax(0)
    far = points.abs().amax() > (high - low).amax()
    centre = (low + high) / 2 if far else torch.zeros(2)
    if extent is None:
        extent = max(0.1, math.ceil(10 * 1.35 * (points - centre).abs().max().item()) / 10)
    if not (math.isfinite(extent) and extent > 0):
        raise ValueError(f"extent: got {extent}, expected a positive number")
    return centre.tolist(), float(extent)
