"""A small service with tests, as the deliveries of the corpus find it."""

from __future__ import annotations

from tests.review_corpus.memory_change import Content

BASE: dict[str, Content] = {
    "README.md": "# Shop\n\nA small service.\n",
    "pyproject.toml": """\
[project]
name = "shop"
requires-python = ">=3.11"
dependencies = ["fastapi>=0.110", "sqlalchemy>=2", "httpx", "python-dateutil"]

[project.optional-dependencies]
test = ["pytest>=8", "hypothesis"]

[tool.pytest.ini_options]
addopts = ["-ra", "--strict-markers"]
testpaths = ["tests"]
xfail_strict = true

[tool.coverage.report]
fail_under = 85
""",
    "poetry.lock": '# lock\n[[package]]\nname = "fastapi"\n',
    ".github/workflows/ci.yml": "on: push\njobs:\n  test:\n    steps:\n      - run: pytest\n",
    ".jjm.toml": '[checks.tests]\ncommand = "pytest"\n',
    "Makefile": "test:\n\tpytest -q\n",
    "shop/__init__.py": "",
    "shop/settings.py": """\
import os

DATABASE_URL = os.environ.get("SHOP_DATABASE_URL", "sqlite:///shop.db")
PAGE_SIZE = 20
""",
    "shop/models.py": """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[int]
""",
    "shop/services/__init__.py": "",
    "shop/services/items.py": """\
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.models import Item


class ItemService:
    \"\"\"Items of the shop.\"\"\"

    def __init__(self, db: Session) -> None:
        self.db = db

    def list_items(self) -> list[Item]:
        \"\"\"Return every item.\"\"\"
        return list(self.db.scalars(select(Item)))

    def get_item(self, item_id: int) -> Item | None:
        \"\"\"Return one item.\"\"\"
        return self.db.get(Item, item_id)
""",
    "shop/services/prices.py": """\
def gross(net: int, rate: float = 0.2) -> int:
    \"\"\"Return the price with tax.\"\"\"
    if net < 0:
        raise ValueError("a price is never negative")
    return round(net * (1 + rate))


def discount(price: int, percent: int) -> int:
    \"\"\"Return the price less a discount.\"\"\"
    return price - price * percent // 100
""",
    "shop/services/legacy.py": """\
def old_total(prices: list[int]) -> int:
    \"\"\"Return the sum as the first version did.\"\"\"
    return sum(prices)
""",
    "shop/api.py": """\
from fastapi import APIRouter, Depends, FastAPI, HTTPException

from shop.services.items import ItemService

router = APIRouter(prefix="/api/v1")


def item_service() -> ItemService:
    \"\"\"Return the service of a request.\"\"\"
    from shop.database import open_session

    return ItemService(open_session())


@router.get("/items/{item_id}")
def read_item(item_id: int, items: ItemService = Depends(item_service)) -> dict[str, object]:
    \"\"\"Return one item.\"\"\"
    item = items.get_item(item_id)
    if item is None:
        raise HTTPException(404)
    return {"id": item.id, "name": item.name, "price": item.price}


app = FastAPI()
app.include_router(router)
""",
    "shop/database.py": """\
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from shop.settings import DATABASE_URL

engine = create_engine(DATABASE_URL)
SessionLocal = sessionmaker(engine)


def open_session() -> Session:
    \"\"\"Return a new session; the caller closes it.\"\"\"
    return SessionLocal()
""",
    "openapi.json": """\
{
  "openapi": "3.1.0",
  "paths": {
    "/items/{item_id}": {
      "get": {
        "parameters": [{"name": "item_id", "in": "path", "required": true}],
        "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}}}
      },
      "delete": {"responses": {"204": {}}}
    }
  },
  "components": {"schemas": {"Item": {"type": "object", "properties": {
    "id": {"type": "integer"}, "name": {"type": "string"}, "price": {"type": "integer"}}}}}
}
""",
    "tests/__init__.py": "",
    "tests/conftest.py": """\
import pytest


@pytest.fixture
def prices() -> list[int]:
    return [100, 200]
""",
    "tests/test_prices.py": """\
import pytest

from shop.services.prices import discount, gross


def test_gross() -> None:
    assert gross(100) == 120
    assert gross(0) == 0


def test_gross_refuses_negative() -> None:
    with pytest.raises(ValueError):
        gross(-1)


def test_discount() -> None:
    assert discount(200, 10) == 180


def test_discount_ratio() -> None:
    assert discount(300, 33) / 300 == pytest.approx(0.67, rel=0.001)
""",
    "tests/test_legacy.py": """\
from shop.services.legacy import old_total


def test_old_total(prices) -> None:
    assert old_total(prices) == 300
""",
    "tests/test_items.py": """\
import unittest

from shop.services.items import ItemService


class FakeSession:
    def scalars(self, query):
        return iter(["a", "b"])

    def get(self, model, key):
        return None if key == 9 else {"id": key}


class ItemTest(unittest.TestCase):
    def test_list(self) -> None:
        self.assertEqual(ItemService(FakeSession()).list_items(), ["a", "b"])

    def test_missing(self) -> None:
        self.assertIsNone(ItemService(FakeSession()).get_item(9))
""",
    "frontend/package.json": '{\n  "scripts": {"test": "vitest run"},\n  "dependencies": {"react": "^18"}\n}\n',
    "frontend/src/price.ts": "export function shown(price: number): string {\n  return (price / 100).toFixed(2);\n}\n",
    "frontend/src/price.test.ts": """\
import { describe, expect, it } from "vitest";
import { shown } from "./price";

describe("shown", () => {
  it("has two digits", () => {
    expect(shown(150)).toBe("1.50");
  });

  it("shows zero", () => {
    expect(shown(0)).toBe("0.00");
  });
});
""",
}  # fmt: skip
