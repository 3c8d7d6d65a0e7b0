"""Prints what detect-secrets finds in the files of the current folder, as JSON.

A program of its own, run by path: detect-secrets keeps its settings for the whole process, and a
hostile file can make a regular expression run for ever. Its filters are named here: none that obeys
a remark in the file, and none that asks the network whether a secret works.
Source: Yelp/detect-secrets 1.5.0, `settings.transient_settings`, `core/scan.py`, read 2026-11.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

PLUGINS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector",
    "CloudantDetector", "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector",
    "IbmCloudIamDetector", "IbmCosHmacDetector", "JwtTokenDetector", "KeywordDetector",
    "MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector",
    "PypiTokenDetector", "SendGridDetector", "SlackDetector", "SoftlayerDetector",
    "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
"""All but public addresses, which are no secrets, and high entropy, which most hashes have."""
FILTERS = (
    "is_indirect_reference", "is_likely_id_string", "is_not_alphanumeric_string",
    "is_potential_uuid", "is_prefixed_with_dollar_sign", "is_sequential_string",
    "is_templated_secret",
)  # fmt: skip


def found() -> list[dict[str, object]]:
    """Return file, line, kind and hash of each secret, and whether it calls itself an example."""
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import transient_settings

    settings = {
        "plugins_used": [{"name": name} for name in PLUGINS],
        "filters_used": [{"path": f"detect_secrets.filters.heuristic.{f}"} for f in FILTERS],
    }
    hits = []
    with transient_settings(settings):
        for path in sorted(Path().iterdir()):
            hits += [
                {
                    "file": path.name,
                    "line": secret.line_number,
                    "kind": secret.type,
                    "hash": secret.secret_hash,
                    "is_example": "EXAMPLE" in (secret.secret_value or "").upper(),
                }
                for secret in scan_file(path.name)
            ]
    return hits


def main() -> int:
    """Scan; the argument is the folder of packages that detect-secrets is in."""
    sys.path.append(sys.argv[1])
    logging.disable()
    sys.stdout.write(json.dumps(found()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
