import { chmodSync, chownSync, closeSync, constants, openSync } from 'node:fs'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'

export interface ForwardOptions {
  /** The agent's socket on this machine. */
  readonly agent: string
  /** A directory for the new socket, whose path may be longer than a socket's may (unix(7): 107 bytes). */
  readonly directory: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** A socket that answers as the agent does; disposing closes it and every connection. */
export interface ForwardedAgent extends AsyncDisposable {
  readonly path: string
}

/** What may be asked (draft-miller-ssh-agent, section 5.1): which keys there are, and to sign. */
const allowed: ReadonlySet<number> = new Set([11, 13])
/** SSH_AGENT_FAILURE. */
const refusal = Buffer.from([0, 0, 0, 1, 5])
/** As OpenSSH has it (bytes). */
const longest = 256 * 1024

/**
 * Offers an ssh agent under a socket of its own. Keys can be listed and used, but neither added, removed, locked nor
 * read: whoever gets the socket cannot change the agent.
 */
export async function forwardAgent(options: ForwardOptions): Promise<ForwardedAgent> {
  const connections = new Set<Socket>()
  const server = createServer(client => {
    connections.add(client)
    serve(client, options.agent, connections)
      .catch(() => undefined)
      .finally(() => {
        client.destroy()
        connections.delete(client)
      })
  })
  const path = join(options.directory, 'agent')
  const directory = openSync(options.directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    server.listen(`/proc/self/fd/${directory}/agent`)
    await once(server, 'listening')
    chownSync(path, options.uid, options.gid)
    chmodSync(path, options.mode)
  } catch (error) {
    server.close()
    closeSync(directory)
    throw error
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      for (const each of connections) each.destroy()
      await new Promise(resolve => server.close(resolve))
      closeSync(directory)
    },
  }
}

/** One request after the other, each with one answer. */
async function serve(client: Socket, path: string, connections: Set<Socket>): Promise<void> {
  const agent = connect(path)
  connections.add(agent)
  // Nobody may be reading when it fails; without an agent there is nothing to wait for.
  agent.on('error', () => client.destroy())
  client.on('error', () => agent.destroy())
  try {
    const answers = messages(agent)
    for await (const request of messages(client)) {
      if (!allowed.has(request[4] ?? 0)) {
        client.write(refusal)
        continue
      }
      agent.write(request)
      const answer = await answers.next()
      if (answer.done === true) return
      client.write(answer.value)
    }
  } finally {
    agent.destroy()
    connections.delete(agent)
  }
}

/** Whole messages, each with the four bytes of its length. */
async function* messages(socket: Socket): AsyncGenerator<Buffer, void, undefined> {
  let buffered = Buffer.alloc(0)
  for await (const chunk of socket) {
    buffered = Buffer.concat([buffered, chunk as Buffer])
    while (buffered.length >= 4) {
      const end = 4 + buffered.readUInt32BE(0)
      if (end > longest) return
      if (buffered.length < end) break
      yield buffered.subarray(0, end)
      buffered = buffered.subarray(end)
    }
  }
}
