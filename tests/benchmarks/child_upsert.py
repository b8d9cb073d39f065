"""The bare upsert: rows of a key and a state over rows that are there, 5,000 to a transaction."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

import asyncpg

BATCH = 5_000
_CREATE = """
    CREATE TABLE IF NOT EXISTS bare_pair (pair_key bigint PRIMARY KEY, state bytea)
    WITH (fillfactor = 50)
"""
_UPSERT = """
    INSERT INTO bare_pair (pair_key, state) SELECT * FROM unnest($1::bigint[], $2::bytea[])
    ON CONFLICT (pair_key) DO UPDATE SET state = excluded.state
"""


async def upsert(dsn: str, rows: int, width: int, seed: int) -> float:
    """Rows a second: batches of random keys, sorted within the batch, each its own transaction."""
    chance = random.Random(seed)
    keys = list(range(rows))
    conn = await asyncpg.connect(dsn, server_settings={"jit": "off"})
    try:
        await conn.execute(_CREATE)
        await conn.execute("TRUNCATE bare_pair")
        for first in range(0, rows, BATCH):
            part = keys[first : first + BATCH]
            await conn.execute(_UPSERT, part, [chance.randbytes(width) for _ in part])
        await conn.execute("VACUUM ANALYZE bare_pair")
        chance.shuffle(keys)
        batches = [sorted(keys[first : first + BATCH]) for first in range(0, rows, BATCH)]
        states = [chance.randbytes(width) for _ in range(BATCH)]
        started = time.perf_counter()
        for batch in batches:
            async with conn.transaction():
                await conn.execute(_UPSERT, batch, states[: len(batch)])
        return rows / (time.perf_counter() - started)
    finally:
        await conn.close()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    rate = asyncio.run(upsert(given["dsn"], given["rows"], given["width"], given["seed"]))
    print(json.dumps({"per_s": rate}))
