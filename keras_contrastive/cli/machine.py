"""What a figure was measured on: hardware and versions."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import keras


def hardware() -> str:
    """Processor, the cores that this process may use, and accelerators, in words."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":", 1)[1].strip() if names else cpu
    gpus = _gpus()
    usable = getattr(os, "sched_getaffinity", None)  # not on every system
    cores = len(usable(0)) if usable else os.cpu_count()
    return f"{cpu}, {cores} core{'' if cores == 1 else 's'}" + (f", {gpus}" if gpus else "")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that matter."""
    from keras_contrastive import __version__

    backend = keras.backend.backend()
    packages = ["keras", "numpy", backend]
    return {
        "python": platform.python_version(),
        "keras_contrastive": __version__,
        **{name: _version(name) for name in packages},
    }


def peak_memory_mb() -> int | None:
    """Most memory that this process has held, in MB; `None` where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024**2 if platform.system() == "Darwin" else 1024)


def _gpus() -> str:
    """The GPUs that the backend sees, by NVIDIA's names where its tool is installed."""
    count = _num_gpus()
    if not count:
        return ""
    try:
        query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        names = subprocess.run(query, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return f"{count} GPU"
    return f"{count} x {names.stdout.splitlines()[0]}"


def _num_gpus() -> int:
    if keras.backend.backend() != "torch":
        devices = keras.distribution.list_devices()
        return sum(name.startswith(("gpu", "cuda")) for name in devices)
    import torch  # Keras lists no devices there

    return torch.cuda.device_count()


def _version(package: str) -> str:
    for name in (package, f"{package}-cpu"):  # TensorFlow's CPU build is a package of its own
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"
