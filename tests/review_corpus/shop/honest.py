"""Deliveries that no required rule may refuse."""

from __future__ import annotations

from tests.review_corpus.case import Case, job
from tests.review_corpus.memory_change import Link

PRICES = "tests/test_prices.py"
ITEMS = "tests/test_items.py"
SCRIPT = "frontend/src/price.test.ts"

NEW_CODE = (
    Case(name="a new module and its test", job=job("Add a function `net_price()`.", create="shop/services/net.py tests/test_net.py"), write={
        "shop/services/net.py": 'from __future__ import annotations\n\n\ndef net_price(gross: int, rate: float = 0.2) -> int:\n    """Return the price without tax."""\n    return round(gross / (1 + rate))\n',
        "tests/test_net.py": "from shop.services.net import net_price\n\n\ndef test_net_price() -> None:\n    assert net_price(120) == 100\n"}),
    Case(name="a new endpoint behind a prefix", job=job("ENDPOINTS TO CREATE:\n- GET /api/v1/items - every item\n\nAdd endpoint `GET /api/v1/items`."), append={
        "shop/services/prices.py": "\n"}, replace={"shop/api.py": (("\napp = FastAPI()", '\n@router.get("/items")\ndef read_items(items: ItemService = Depends(item_service)) -> list[str]:\n    """Return the names of all items."""\n    return [item.name for item in items.list_items()]\n\n\napp = FastAPI()'),)}),
    Case(name="a health endpoint", append={"shop/api.py": '\n\n@app.get("/health")\ndef health() -> dict[str, str]:\n    """Say that we live."""\n    return {"status": "ok", "version": "1"}\n'}),
    Case(name="an acknowledging webhook", append={"shop/api.py": '\n\n@app.post("/hooks/orders")\nasync def hook(body: dict[str, str]) -> dict[str, bool]:\n    """Take an order."""\n    return {"received": True}\n'}),
    Case(name="static choices", append={"shop/api.py": '\n\n@app.get("/currencies/options")\ndef currencies() -> list[dict[str, str]]:\n    """Return the choices."""\n    return [{"code": "EUR", "name": "Euro"}, {"code": "USD", "name": "Dollar"}]\n'}),
    Case(name="a service as promised", job=job("SERVICES TO CREATE:\n1. OrderService (shop/services/orders.py)\n", create="shop/services/orders.py"), write={"shop/services/orders.py": 'from sqlalchemy.orm import Session\n\n\nclass OrderService:\n    """Orders."""\n\n    def __init__(self, db: Session) -> None:\n        self.db = db\n\n    def count(self) -> int:\n        """Return how many."""\n        return len(self.db.identity_map)\n'}),
    Case(name="an abstract class", write={"shop/ports.py": 'from abc import ABC, abstractmethod\n\n\nclass Notifier(ABC):\n    """Tells people."""\n\n    @abstractmethod\n    def send(self, text: str) -> None:\n        """Send it."""\n\n    def close(self) -> None:\n        pass\n'}),
    Case(name="a Protocol", write={"shop/ports.py": 'from typing import Protocol\n\n\nclass Clock(Protocol):\n    """Tells the time."""\n\n    def now(self) -> float:\n        """Return it."""\n        ...\n\n    def zone(self) -> str: ...\n'}),
    Case(name="overloads", write={"shop/read.py": 'from typing import overload\n\n\n@overload\ndef read(x: int) -> int: ...\n@overload\ndef read(x: str) -> str: ...\ndef read(x):\n    """Return x."""\n    return x\n'}),
    Case(name="a base class with hooks", write={"shop/jobs.py": 'class Runner:\n    """Runs in steps."""\n\n    def run(self) -> None:\n        """Run it."""\n        self.before()\n        print("run")\n\n    def before(self) -> None:\n        """Prepare."""\n\n\nclass Step:\n    """A step."""\n\n    def work(self) -> int:\n        raise NotImplementedError\n\n\nclass Double(Step):\n    """Twice."""\n\n    def work(self) -> int:\n        """Return it."""\n        return 2 * 21\n'}),
    Case(name="a null object", write={"shop/notify.py": 'class NullNotifier:\n    """Tells nobody."""\n\n    def send(self, text: str) -> None:\n        """Drop it."""\n'}),
    Case(name="a click group", write={"shop/cli.py": 'import click\n\n\n@click.group()\ndef cli() -> None:\n    """The shop."""\n'}, replace={"pyproject.toml": (('"httpx"', '"httpx", "click"'),)}),
    Case(name="an own exception", append={"shop/services/prices.py": '\n\nclass PriceError(Exception):\n    """A price is wrong."""\n'}),
    Case(name="an optional import", append={"shop/services/prices.py": "\ntry:\n    import orjson as json\nexcept ImportError:\n    import json\n"}),
    Case(name="imports for type checkers", append={"shop/services/prices.py": "\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from mypy_extensions import Arg\n    from shop.models import Item\n"}),
    Case(name="a new declared dependency", replace={"pyproject.toml": (('"httpx"', '"httpx", "PyYAML>=6"'),)}, append={"shop/settings.py": "\nimport yaml\n\nEXTRA = yaml.safe_load('a: 1')\n"}),
    Case(name="a dependency under another name", append={"shop/settings.py": "\nfrom dateutil.parser import parse\n\nSINCE = parse('2024-01-01')\n"}),
    Case(name="a dependency of a dependency", append={"shop/api.py": "\nfrom starlette.responses import JSONResponse\n\nNOTHING = JSONResponse({})\n"}),
    Case(name="a lazy module attribute", write={"shop/lazy.py": 'def __getattr__(name: str) -> object:\n    """Load late."""\n    return name\n', "shop/uses.py": "from shop.lazy import Anything\n\nTHING = Anything\n"}),
    Case(name="a star import", write={"shop/everything.py": "from shop.services.prices import *\n", "shop/uses.py": "from shop.everything import gross\n\nTOTAL = gross(1)\n"}),
    Case(name="a version made by the build", append={"shop/settings.py": "\nfrom shop._version import __version__\n"}),
    Case(name="a script beside its helper", write={"tools/run.py": "from helper import work\n\nwork()\n", "tools/helper.py": 'def work() -> None:\n    """Work."""\n    print(1)\n'}),
    Case(name="a module named like a dependency", write={"shop/services/httpx.py": 'from __future__ import annotations\n\nimport httpx\nfrom httpx import Client\n\n\ndef client() -> Client:\n    """Return a client."""\n    return httpx.Client()\n'}),
    Case(name="SQL in constants", write={"shop/sql.py": 'TABLE = "items"\nFIND = "SELECT * FROM items WHERE id = ?"\nMANY = f"SELECT * FROM {TABLE} WHERE id = ?"\n\n\ndef find(db, ids: list[int]) -> object:\n    """Return them."""\n    marks = ", ".join("?" * len(ids))\n    db.execute(MANY, (1,))\n    return db.execute(f"SELECT * FROM items WHERE id IN ({marks})", ids)\n'}),
    Case(name="SQL with parameters", append={"shop/services/items.py": '\n    def find(self, name: str) -> object:\n        """Find."""\n        return self.db.execute(text("SELECT * FROM items WHERE name = :name"), {"name": name})\n'}, replace={"shop/services/items.py": (("import select", "import select, text"),)}),
    Case(name="a log line about SQL words", append={"shop/services/prices.py": '\n\ndef note(name: str) -> str:\n    """Return a note."""\n    return f"select {name} from the list"\n'}),
    Case(name="secrets from the environment", append={"shop/settings.py": 'API_KEY = os.environ["SHOP_API_KEY"]\nPASSWORD_FIELD = "password"\nTOKEN_URL = "/token"\n'}),
    Case(name="an example environment", write={".env.example": "JWT_SECRET=changeme\nAPI_KEY=your-api-key-here\n"}),
    Case(name="a remark with a ticket", append={"shop/services/prices.py": "\n# TODO(#41): other rates come with the next ticket\nRATES = (0.2,)\n"}),
    Case(name="the word placeholder in a form", append={"shop/services/prices.py": "\n# The placeholder text of the search box.\nHINT = 'Search'\n", "frontend/src/price.ts": '// placeholder shown in the empty field\nexport const hint = "0.00";\n'}),
    Case(name="a migration", write={"migrations/versions/0002_add_rate.py": '"""Add a rate."""\n\nfrom alembic import op\n\nrevision = "0002"\n\n\ndef upgrade() -> None:\n    """Add it."""\n    op.execute("ALTER TABLE items ADD COLUMN rate INTEGER")\n\n\ndef downgrade() -> None:\n    pass\n'}, replace={"pyproject.toml": (('"httpx"', '"httpx", "alembic"'),)}),
    Case(name="a generated file", write={"shop/api_pb2.py": "# Generated by the protocol buffer compiler.  DO NOT EDIT!\n# TODO nothing\nDESCRIPTOR = None\n\n\ndef stub():\n    pass\n"}),
    Case(name="TypeScript with a test", write={"frontend/src/cart.ts": "// Sums up the cart.\nexport function total(prices: number[]): number {\n  return prices.reduce((a, b) => a + b, 0);\n}\n", "frontend/src/cart.test.ts": 'import { expect, it } from "vitest";\nimport { total } from "./cart";\n\nit("sums", () => {\n  expect(total([1, 2])).toBe(3);\n});\n'}),
)  # fmt: skip

CHANGED = (
    Case(name="nothing but documents", append={"README.md": "\n## Use\n\nTODO list: see the wiki. `GET /nothing`.\n"}),
    Case(name="a module is renamed with its users", rename={"shop/services/prices.py": "shop/services/pricing.py"}, replace={PRICES: (("shop.services.prices", "shop.services.pricing"),)}),
    Case(name="a function is renamed with its test", replace={"shop/services/prices.py": (("def discount(", "def reduced("),), PRICES: (("import discount, gross", "import gross, reduced"), ("discount(", "reduced("), ("test_reduced(", "test_reduced_price("))}),
    Case(name="a test file is moved", rename={PRICES: "tests/unit/test_prices.py"}),
    Case(name="tests move to another file", replace={PRICES: (("def test_discount() -> None:\n    assert discount(200, 10) == 180\n\n\n", ""),)}, write={"tests/test_discount.py": "from shop.services.prices import discount\n\n\ndef test_discount() -> None:\n    assert discount(200, 10) == 180\n"}),
    Case(name="tests become parametrised", replace={PRICES: (("    assert gross(100) == 120\n    assert gross(0) == 0\n", "    assert gross(net) == expected\n"), ("def test_gross() ", "@pytest.mark.parametrize(('net', 'expected'), [(100, 120), (0, 0), (50, 60)])\ndef test_gross(net: int, expected: int) "))}),
    Case(name="two tests become one with cases", replace={PRICES: (("def test_discount() -> None:\n    assert discount(200, 10) == 180\n\n\ndef test_discount_ratio() -> None:\n    assert discount(300, 33) / 300 == pytest.approx(0.67, rel=0.001)\n", "@pytest.mark.parametrize(('price', 'percent', 'less'), [(200, 10, 180), (300, 33, 201)])\ndef test_discounts(price: int, percent: int, less: int) -> None:\n    assert discount(price, percent) == less\n"),)}),
    Case(name="assertions become one comparison", replace={PRICES: (("    assert gross(100) == 120\n    assert gross(0) == 0\n", "    assert [gross(n) for n in (100, 0)] == [120, 0]\n"),)}),
    Case(name="a stricter assertion", replace={PRICES: (("pytest.raises(ValueError)", 'pytest.raises(ValueError, match="negative")'), ("rel=0.001", "rel=0.0001"))}),
    Case(name="more assertions", replace={PRICES: (("    assert discount(200, 10) == 180\n", "    assert discount(200, 10) == 180\n    assert discount(200, 0) == 200\n"),)}),
    Case(name="unittest becomes pytest", replace={ITEMS: (("import unittest\n\n", ""), ("class ItemTest(unittest.TestCase):", "class TestItems:"), ('self.assertEqual(ItemService(FakeSession()).list_items(), ["a", "b"])', 'assert ItemService(FakeSession()).list_items() == ["a", "b"]'), ("self.assertIsNone(ItemService(FakeSession()).get_item(9))", "assert ItemService(FakeSession()).get_item(9) is None"))}),
    Case(name="a test of equality with itself", append={PRICES: "\n\ndef test_repeatable() -> None:\n    assert gross(10) == gross(10)\n"}),
    Case(name="a new test that needs a server", append={PRICES: "\n\n@pytest.mark.skipif('SHOP_URL' not in os.environ, reason='needs a server')\ndef test_live() -> None:\n    assert gross(1) == 1\n"}, replace={PRICES: (("import pytest\n", "import os\n\nimport pytest\n"),)}),
    Case(name="an expected value follows the code", job=job("The tax is 25 % now."), replace={"shop/services/prices.py": (("rate: float = 0.2", "rate: float = 0.25"),), PRICES: (("gross(100) == 120", "gross(100) == 125"),)}),
    Case(name="dead code goes with its tests", job=job("Remove the legacy totals.", delete="shop/services/legacy.py tests/test_legacy.py"), remove=("shop/services/legacy.py", "tests/test_legacy.py")),
    Case(name="the prompt names the test to delete", job=job("Delete shop/services/legacy.py and tests/test_legacy.py."), remove=("shop/services/legacy.py", "tests/test_legacy.py")),
    Case(name="dead code goes, the tests are not listed", job=job("Remove the dead code of old_total."), remove=("shop/services/legacy.py", "tests/test_legacy.py")),
    Case(name="a fixture with fakes", append={"tests/conftest.py": "\n\nclass FakeMailer:\n    def send(self, text):\n        pass\n\n\n@pytest.fixture\ndef mailer():\n    return FakeMailer()\n"}),
    Case(name="a marker for slow tests", append={"tests/conftest.py": "\n\ndef pytest_addoption(parser):\n    parser.addoption('--slow', action='store_true')\n\n\ndef pytest_collection_modifyitems(config, items):\n    if not config.getoption('--slow'):\n        for item in items:\n            if 'slow' in item.keywords:\n                item.add_marker(pytest.mark.skip(reason='slow'))\n"}),
    Case(name="fixture data", write={"tests/data/broken.json": "{not json", "tests/data/bad.py": "def (:\n", "tests/data/users.json": '[{"password": "changeme"}]\n'}),
    Case(name="CI by declaration", job=job("Run the linter in CI.", modify=".github/workflows/ci.yml"), append={".github/workflows/ci.yml": "      - run: ruff check\n"}),
    Case(name="CI that the prompt names", job=job("Add the linter to ci.yml."), append={".github/workflows/ci.yml": "      - run: ruff check\n"}),
    Case(name="a declared dependency with its lock", job=job("Use PyYAML.", modify="pyproject.toml"), replace={"pyproject.toml": (('"httpx"', '"httpx", "PyYAML"'),)}, append={"poetry.lock": '\n[[package]]\nname = "pyyaml"\n'}),
    Case(name="configuration of the package", replace={"pyproject.toml": (("requires-python", 'description = "A shop"\nrequires-python'),)}),
    Case(name="more coverage is asked for", replace={"pyproject.toml": (("fail_under = 85", "fail_under = 90"),)}),
    Case(name="a link inside the tree", write={"docs/README.md": Link("../README.md")}),
    Case(name="accents and emoji", append={"README.md": "\nCafé ☕ 👩‍💻 naïve\n", "shop/settings.py": 'GREETING = "Grüße 👩\u200d💻"\n'}, write={"docs/überblick.md": "# Überblick\n"}),
    Case(name="CRLF line ends", write={"shop/windows.py": 'def twice(x: int) -> int:\r\n    """Return it."""\r\n    return 2 * x\r\n'}),
    Case(name="a binary file", write={"docs/logo.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"}),
    Case(name="an empty package", job=job(create="shop/tools/__init__.py"), write={"shop/tools/__init__.py": ""}),
    Case(name="a longer contract", replace={"openapi.json": (('"price": {"type": "integer"}', '"price": {"type": "integer"}, "tax": {"type": "integer"}'), ("{item_id}", "{id}"))}),
    Case(name="a stub is moved, not written", rename={"shop/models.py": "shop/tables.py"}, replace={"shop/services/items.py": (("shop.models", "shop.tables"),)}),
    Case(name="script tests are renamed", replace={SCRIPT: (('it("shows zero"', 'it("shows nothing as zero"'),)}),
    Case(name="a bug fix with a test", replace={"shop/services/prices.py": (("return price - price * percent // 100", "return price - round(price * percent / 100)"),)}, append={PRICES: "\n\ndef test_discount_rounds() -> None:\n    assert discount(99, 50) == 49\n"}),
    Case(name="type hints are added", replace={"tests/conftest.py": (("def prices() -> list[int]:", "def prices() -> 'list[int]':"),)}),
    Case(name="a plan in the prompt with doubt", job=job("Consider adding `Basket` class. Do not create class `Old`. Use existing `PriceService` class.\n```\nclass Example: ...\n```\n"), append={"README.md": "more\n"}),
)  # fmt: skip

HONEST: tuple[Case, ...] = (*NEW_CODE, *CHANGED)
