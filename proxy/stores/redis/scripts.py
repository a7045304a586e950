"""The steps that must happen at once, as Lua that Redis runs: each is safe to be sent twice.

``KEYS`` are entry, lease and fence (see ``names``). A fence counts the leases: who comes with a
lower number than the newest lease's is late, whatever it believes.
"""

from __future__ import annotations

from typing import Final

TAKE: Final = """
local held = redis.call('GET', KEYS[2])
if held == ARGV[1] then return tonumber(redis.call('GET', KEYS[3]) or 0) end
if held then return 0 end
local last = tonumber(redis.call('GET', KEYS[3]) or 0)
local saved = tonumber(redis.call('HGET', KEYS[1], 'fence') or 0)
local fence = math.max(last, saved) + 1
redis.call('SET', KEYS[3], string.format('%d', fence), 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
return fence
"""
"""ARGV: owner, milliseconds of the lease, of the count. The fence, 0 where another has it."""

_MINE: Final = """
local held = redis.call('GET', KEYS[2])
local last = tonumber(redis.call('GET', KEYS[3]) or ARGV[2])
local saved = tonumber(redis.call('HGET', KEYS[1], 'fence') or 0)
local fence = tonumber(ARGV[2])
if (held and held ~= ARGV[1]) or last ~= fence or saved > fence then return 0 end
"""
"""ARGV: owner, fence. Goes on only if nobody else had a lease since; ours may have run out."""

PROLONG: Final = (
    _MINE
    + """
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[4])
return 1
"""
)
"""ARGV: …, milliseconds of the lease, of the count. 0: it was lost."""

SAVE: Final = (
    _MINE
    + """
redis.call('HSET', KEYS[1], 'sealed', ARGV[3], 'fence', ARGV[2])
if ARGV[4] == '' then redis.call('PERSIST', KEYS[1])
else redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
redis.call('PUBLISH', ARGV[5], ARGV[6])
return 1
"""
)
"""ARGV: …, sealed, milliseconds until it ends (empty: never), channel, message.
0: refused."""

RELEASE: Final = """
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
"""
"""ARGV: owner."""
