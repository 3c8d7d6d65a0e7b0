"""The HTTP face of the pretend GitHub."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.github_stand_in import git_merges
from tests.github_stand_in.world import GitHubWorld, Repository

BOT = {"login": "jjm-app[bot]", "type": "Bot"}


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.body = status, {"message": message, **more}


class Face:
    """Routes of one world."""

    def __init__(self, world: GitHubWorld) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        place = "/repos/{owner}/{name}"
        table = {
            (place, "GET"): self.repository,
            ("/rate_limit", "GET"): self.rate_limit,
            (f"{place}/pulls", "GET"): self.list_pulls,
            (f"{place}/pulls", "POST"): self.create_pull,
            (f"{place}/pulls/{{number:int}}", "GET"): self.get_pull,
            (f"{place}/pulls/{{number:int}}/merge", "PUT"): self.merge,
            (f"{place}/pulls/{{number:int}}/comments", "GET"): self.line_comments,
            (f"{place}/pulls/{{number:int}}/reviews", "GET"): self.reviews,
            (f"{place}/issues/{{number:int}}/comments", "GET"): self.issue_comments,
            (f"{place}/issues/{{number:int}}/comments", "POST"): self.write_comment,
            (f"{place}/issues/comments/{{id:int}}", "PATCH"): self.rewrite_comment,
            (f"{place}/commits/{{sha}}/check-runs", "GET"): self.check_runs,
            (f"{place}/commits/{{sha}}/status", "GET"): self.status,
            (f"{place}/git/ref/heads/{{branch:path}}", "GET"): self.ref,
            ("/app/installations/{id:int}/access_tokens", "POST"): self.app_token,
        }
        return [
            Route(path, self._answering(handler), methods=[method])
            for (path, method), handler in table.items()
        ]

    def _answering(self, handler: Any) -> Any:
        async def answer(request: Request) -> Response:
            world = self.world
            path = str(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
            world.requests.append((request.method, path))
            world.headers.append(dict(request.headers))
            refused = self._refusal(request)
            if refused is not None:
                return refused
            try:
                body, status, more = await handler(request)
            except RefusedError as exc:
                body, status, more = exc.body, exc.status, {}
            return self._sent(request, body, status, more)

        return answer

    def _refusal(self, request: Request) -> Response | None:
        world = self.world
        if world.refusals:
            status, headers, message = world.refusals.pop(0)
            return JSONResponse({"message": message}, status, headers)
        given = request.headers.get("authorization", "")
        kind, _, secret = given.partition(" ")
        if not (kind == "bearer" or (kind == "token" and secret in world.tokens)):
            return JSONResponse({"message": "Bad credentials"}, 401)
        if world.now() >= world.resets_at:
            world.remaining, world.resets_at = 5000, world.now() + timedelta(hours=1)
        if world.remaining == 0:
            words = "API rate limit exceeded for user ID 1."
            return JSONResponse({"message": words}, 403, self._limits())
        return None

    def _limits(self) -> dict[str, str]:
        world = self.world
        return {
            "x-ratelimit-limit": "5000", "x-ratelimit-remaining": str(world.remaining),
            "x-ratelimit-reset": str(int(world.resets_at.timestamp())),
            "x-ratelimit-resource": "core",
        }  # fmt: skip

    def _sent(self, request: Request, body: Any, status: int, more: dict[str, str]) -> Response:
        world = self.world
        if world.lose_next == request.method:
            world.lose_next = ""
            raise ConnectionResetError
        content = json.dumps(body).encode()
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        if request.method == "GET" and request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={**self._limits(), "etag": etag})
        world.remaining -= 1
        headers = {**self._limits(), "etag": etag, **more}
        return Response(content, status, headers, media_type="application/json")

    def _repository(self, request: Request) -> Repository:
        name = f"{request.path_params['owner']}/{request.path_params['name']}"
        found = self.world.repositories.get(name.casefold())
        if found is None:
            raise RefusedError(404, "Not Found")
        return found

    def _pull(self, request: Request) -> tuple[Repository, dict[str, Any]]:
        repository = self._repository(request)
        number = request.path_params["number"]
        found = next((p for p in repository.pulls if p["number"] == number), None)
        if found is None:
            raise RefusedError(404, "Not Found")
        return repository, _fresh(repository, found)

    def _page(self, request: Request, items: list[Any], key: str = "") -> Any:
        size = int(request.query_params.get("per_page", "30"))
        page = int(request.query_params.get("page", "1"))
        shown: Any = items[(page - 1) * size : page * size]
        more = {}
        if page * size < len(items):
            following = request.url.include_query_params(page=page + 1)
            more["link"] = f'<{following}>; rel="next"'
        return ({"total_count": len(items), key: shown} if key else shown), 200, more

    async def repository(self, request: Request) -> Any:
        repository = self._repository(request)
        rights = {"admin": False, "push": repository.may_push, "pull": True}
        return {"full_name": repository.name, "permissions": rights}, 200, {}

    async def rate_limit(self, request: Request) -> Any:
        world = self.world
        rate = {"limit": 5000, "remaining": world.remaining, "used": 5000 - world.remaining}
        return {"resources": {"core": rate}, "rate": rate}, 200, {}

    async def list_pulls(self, request: Request) -> Any:
        repository, query = self._repository(request), request.query_params
        found = [_fresh(repository, pull) for pull in reversed(repository.pulls)]
        state = query.get("state", "open")
        kept = [
            pull for pull in found
            if state in {"all", pull["state"]}
            and query.get("head", pull["head"]["label"]) == pull["head"]["label"]
            and query.get("base", pull["base"]["ref"]) == pull["base"]["ref"]
        ]  # fmt: skip
        return self._page(request, kept)

    async def get_pull(self, request: Request) -> Any:
        _, pull = self._pull(request)
        return {**pull, "merged": bool(pull["merged_at"])}, 200, {}

    async def create_pull(self, request: Request) -> Any:
        repository, given = self._repository(request), await request.json()
        branch, base = given["head"], given["base"]
        if not git_merges.head(repository.path, branch):
            error = {"resource": "PullRequest", "field": "head", "code": "invalid"}
            raise RefusedError(422, "Validation Failed", errors=[error])
        label = f"{repository.owner}:{branch}"
        mine, words = (repository.name, branch, base), ""
        if any(p["state"] == "open" and _places(p) == mine for p in repository.pulls):
            words = f"A pull request already exists for {label}."
        elif not git_merges.ahead(repository.path, base, branch):
            words = f"No commits between {base} and {branch}"
        if words:
            error = {"resource": "PullRequest", "code": "custom", "message": words}
            raise RefusedError(422, "Validation Failed", errors=[error])
        pull = repository.open(branch, base=base)
        pull |= {"title": given["title"], "body": given["body"]}
        return pull, 201, {}

    async def merge(self, request: Request) -> Any:
        repository, pull = self._pull(request)
        given = await request.json()
        method = given.get("merge_method", "merge")
        if method not in {"merge", "squash", "rebase"}:
            raise RefusedError(422, "Validation Failed")
        if given.get("sha", pull["head"]["sha"]) != pull["head"]["sha"]:
            raise RefusedError(409, "Head branch was modified. Review and try the merge again.")
        if pull["state"] != "open":
            raise RefusedError(405, "Pull Request is not mergeable")
        _check_rules(repository, pull, method)
        repository.before_merge()
        title = given.get("commit_title") or f"Merge pull request #{pull['number']}"
        made = git_merges.merge(
            repository.path, base=pull["base"]["ref"], commit=pull["head"]["sha"], method=method,
            message=title,
        )  # fmt: skip
        if not made:
            raise RefusedError(405, "Pull Request is not mergeable")
        stored = repository.pulls[pull["number"] - 1]
        stored |= {"state": "closed", "merged_at": self.world.stamp(), "merge_commit_sha": made,
                   "head": pull["head"]}  # fmt: skip
        if repository.deletes_branches:
            branch = f"refs/heads/{pull['head']['ref']}"
            git_merges.git(repository.path, "update-ref", "-d", branch)
        message = "Pull Request successfully merged"
        return {"sha": made, "merged": True, "message": message}, 200, {}

    async def line_comments(self, request: Request) -> Any:
        return self._page(request, self._pull(request)[0].line_comments)

    async def reviews(self, request: Request) -> Any:
        return self._page(request, self._pull(request)[0].reviews)

    async def issue_comments(self, request: Request) -> Any:
        comments, number = self._pull(request)[0].issue_comments, request.path_params["number"]
        return self._page(request, [c for c in comments if c.get("issue", number) == number])

    async def write_comment(self, request: Request) -> Any:
        repository, given = self._pull(request)[0], await request.json()
        comment = self.world.comment(given["body"], association="NONE", login=BOT["login"])
        comment |= {"user": BOT, "issue": request.path_params["number"]}
        repository.issue_comments.append(comment)
        return comment, 201, {}

    async def rewrite_comment(self, request: Request) -> Any:
        repository, given = self._repository(request), await request.json()
        for comment in repository.issue_comments:
            if comment["id"] == request.path_params["id"]:
                if comment["user"]["login"] == "somebody-else":
                    raise RefusedError(403, "Resource not accessible by integration")
                comment["body"] = given["body"]
                return comment, 200, {}
        raise RefusedError(404, "Not Found")

    async def check_runs(self, request: Request) -> Any:
        runs = self._repository(request).runs.get(request.path_params["sha"], [])
        return self._page(request, runs, "check_runs")

    async def status(self, request: Request) -> Any:
        statuses = self._repository(request).statuses.get(request.path_params["sha"], [])
        return self._page(request, statuses, "statuses")

    async def ref(self, request: Request) -> Any:
        branch = request.path_params["branch"]
        commit = git_merges.head(self._repository(request).path, branch)
        if not commit:
            raise RefusedError(404, "Not Found")
        return {"ref": f"refs/heads/{branch}", "object": {"sha": commit, "type": "commit"}}, 200, {}

    async def app_token(self, request: Request) -> Any:
        assert request.headers["authorization"].startswith("bearer ")
        world = self.world
        world.tokens_given += 1
        token = f"ghs_token{world.tokens_given}"
        world.tokens = {token}
        ends = (world.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"token": token, "expires_at": ends}, 201, {}


def _fresh(repository: Repository, pull: dict[str, Any]) -> dict[str, Any]:
    """Return the pull request as it is now: while it is open its head follows the branch."""
    if pull["state"] != "open":
        return pull
    commit = git_merges.head(repository.path, pull["head"]["ref"])
    return {**pull, "head": {**pull["head"], "sha": commit}}


def _places(pull: dict[str, Any]) -> tuple[str, str, str]:
    return pull["head"]["repo"]["full_name"], pull["head"]["ref"], pull["base"]["ref"]


def _check_rules(repository: Repository, pull: dict[str, Any], method: str) -> None:
    rules = repository.protection
    if pull["draft"]:
        raise RefusedError(405, "Pull Request is still a draft")
    if method not in rules.methods:
        raise RefusedError(405, f"{method.capitalize()} merges are not allowed on this repository.")
    for name in rules.required_checks:
        if not repository.passed(pull["head"]["sha"], name):
            raise RefusedError(405, f'Required status check "{name}" is expected.')
    if sum(r.get("state") == "APPROVED" for r in repository.reviews) < rules.approvals:
        words = f"At least {rules.approvals} approving review is required by reviewers with write access."
        raise RefusedError(405, words)


def create_app(world: GitHubWorld) -> Starlette:
    """Return the pretend GitHub as an ASGI application."""
    return Starlette(routes=Face(world).routes())


def transport(world: GitHubWorld) -> httpx2.AsyncBaseTransport:
    """Return a transport that reaches the pretend GitHub without a network."""
    return _Transport(world)


class _Transport(httpx2.AsyncBaseTransport):
    """ASGI, with an answer that is lost as an error of the connection."""

    def __init__(self, world: GitHubWorld) -> None:
        self._world = world
        self._inner = httpx2.ASGITransport(app=create_app(world))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        number, after, end = self._world.end_at or (0, False, Exception)
        is_last = number == len(self._world.requests) + 1
        if is_last:
            self._world.end_at = None
        if is_last and not after:
            raise end()
        try:
            answer = await self._inner.handle_async_request(request)
            if is_last:
                raise end()
            return answer
        except ConnectionResetError as exc:
            raise httpx2.ReadError("the answer was lost", request=request) from exc
