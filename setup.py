"""Builds the package; `zoo/` at the top is packaged as `keras_contrastive.zoo`."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.+?)"', (HERE / "keras_contrastive" / "__init__.py").read_text()
).group(1)

EXTRAS = {
    "tensorflow": ["tensorflow>=2.19"],
    "tensorflow-cpu": ["tensorflow-cpu>=2.19"],
    "jax": ["jax>=0.6"],
    "torch": ["torch>=2.6"],
    "hub": ["keras-hub>=0.21", "huggingface-hub>=0.30"],
    "data": ["pillow>=10", "tensorflow-datasets"],
    "cli": ["typer>=0.12", "rich>=13", "pyyaml>=6"],
    "convert": ["torch>=2.6", "safetensors>=0.4"],
    "onnx": ["torch>=2.6", "onnx>=1.17", "onnxruntime>=1.20"],
    "plot": ["matplotlib>=3.8", "plotly>=5"],
    "eval": ["scikit-learn>=1.4", "scipy>=1.11"],
    "text": ["tokenizers>=0.20", "safetensors>=0.4"],
    "audio": ["scipy>=1.11"],
}
EXTRAS["demo"] = [*EXTRAS["cli"], *EXTRAS["plot"], *EXTRAS["eval"], "pillow>=10"]
EXTRAS["test"] = [
    *EXTRAS["demo"],
    *EXTRAS["data"],
    *EXTRAS["text"],
    *EXTRAS["convert"],
    *EXTRAS["onnx"],
    "grain",
    "huggingface-hub>=0.30",
    "hypothesis",
    "import-linter",
    "mypy",
    "pytest",
    "pytest-xdist",
    "ruff",
]

setup(
    name="keras-contrastive",
    version=VERSION,
    description="Contrastive and self-supervised learning for Keras on TensorFlow, JAX, PyTorch",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=[
        *find_packages(include=["keras_contrastive", "keras_contrastive.*"]),
        "keras_contrastive.zoo",
    ],
    package_dir={"keras_contrastive.zoo": "zoo"},
    package_data={
        "keras_contrastive": ["py.typed"],
        "keras_contrastive.zoo": ["*/*.yaml", "*/*.keras", "*/*.json", "*/*.md", "*/*.png"],
    },
    install_requires=["keras>=3.15", "numpy>=1.26"],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["keras-contrastive = keras_contrastive.cli.app:main"]},
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
