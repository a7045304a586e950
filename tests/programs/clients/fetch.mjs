// The exercise on Node's fetch (undici), as exercise.py does it: fetch.mjs BASE.

import { createHash } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { setTimeout as pause } from 'node:timers/promises'

const [base] = process.argv.slice(2)
const others = { Authorization: 'Bearer definitely_an_access_token' }
let opened = 0
channel('undici:client:connected').subscribe(() => { opened += 1 })

const pattern = size => Uint8Array.from({ length: size }, (_, i) => i % 251)
const sum = bytes => createHash('sha256').update(bytes).digest('hex')
const ask = (method, path, body, more = {}) =>
  fetch(base + path, { method, body, headers: others, ...more })

const reported = (answer, body, field) =>
  field ? [answer.status, body, answer.headers.get(field)] : [answer.status, body]

async function said(method, path, field) {
  const answer = await ask(method, path)
  return reported(answer, await answer.text(), field)
}

async function checked(method, path, body, field, more) {
  const answer = await ask(method, path, body, more)
  return reported(answer, sum(Buffer.from(await answer.arrayBuffer())), field)
}

function* pieces(body, size = 10007) {
  for (let start = 0; start < body.length; start += size) yield body.subarray(start, start + size)
}

async function head() {
  const answer = await ask('HEAD', 'hello')
  const { byteLength } = await answer.arrayBuffer()
  return [answer.status, byteLength, answer.headers.get('Content-Length')]
}

async function* events(answer) {
  let text = ''
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    text += piece
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      yield text.slice(0, end)
    }
  }
  yield text
}

async function tokens() {
  const before = opened
  const used = new Set()
  let requests = 0
  for (; used.size < 3; requests += 1) {
    used.add((await said('GET', 'whoami')).join(' '))
    await pause(20)
  }
  return { used: [...used], requests, opened: opened - before }
}

// Three tokens come and go between the first event and the second.
async function stream() {
  const id = `node-${process.pid}`
  const each = events(await ask('GET', `stream?id=${id}`))
  const next = async () => (await each.next()).value
  const seen = [await next()]
  const used = await tokens()
  for (let count = 0; count < 3; count += 1) {
    await said('POST', `ack?id=${id}`)
    seen.push(await next())
  }
  return { stream: seen, tokens: used }
}

async function left() {
  const leave = new AbortController()
  const answer = await ask('GET', 'endless', undefined, { signal: leave.signal })
  await answer.body.getReader().read()
  const at = Date.now() / 1000
  leave.abort()
  return at
}

const chunked = ReadableStream.from(pieces(pattern(2 << 20)))
console.log(JSON.stringify({
  version: process.version,
  hello: await said('GET', 'hello', 'X-Own'),
  missing: await said('GET', 'missing'),
  target: await said('GET', 'target/a%2Fb;c?dataset%5B%5D=%2A&dataset.separator=.'),
  echo: [
    await checked('POST', 'echo', pattern(0), 'X-Framing'),
    await checked('POST', 'echo', pattern(65536), 'X-Framing'),
    await checked('POST', 'echo', pattern((3 << 20) + 1), 'X-Framing'),
  ],
  chunked: await checked('POST', 'echo', chunked, 'X-Framing', { duplex: 'half' }),
  gzip: await checked('GET', 'gzip'),
  head: await head(),
  // undici can't send a view's bytes a second time: it has given them away.
  redirect: await checked('POST', 'redirect', new Blob([pattern(65536)])),
  ...await stream(),
  left: await left(),
}))
