/**
 * linux: the only door to the kernel and to other processes of this machine.
 *
 * In: what to isolate, where, for whom, as plain data. Out: a finished command, an attribute, a node, a lock.
 * Always: plans are data and can be tested without privileges; mounts live only in a sandbox's own mount namespace, so
 * the host's mount table never changes; nothing of a sandbox outlives our process, whatever ends it; programs of the
 * host never see the environment of an image.
 */

export { resourceLimitNames } from './check-sandbox.ts'
export { copyRange } from './copy-range.ts'
export { type FileLock, lockFile, tryLockFile } from './file-lock.ts'
export { type FileTime, setFileTimes } from './file-times.ts'
export { type ForwardedAgent, forwardAgent } from './forward-agent.ts'
export { findHostTools, findProgram, type HostTools, hostSearchPath } from './host-tools.ts'
export { keepHeapSmall } from './keep-heap-small.ts'
export { openLibbz2 } from './libbz2.ts'
export type { KernelPath, SystemError } from './libc.ts'
export { type Decoder, openLiblzma } from './liblzma.ts'
export { type GzipEncoder, openLibdeflate } from './libdeflate.ts'
export { openLibzstd, type ZstdEncoder, type ZstdOptions } from './libzstd.ts'
export { makeDirectories } from './make-directories.ts'
export { deviceNumber, makeNode, type NodeSpec } from './make-node.ts'
export { mountAt } from './mount-info.ts'
export { FilterError, pipeThrough } from './pipe-through.ts'
export { planSandbox, type SandboxPlan } from './plan-sandbox.ts'
export { type HostCheck, type HostReport, type ProbeOptions, probeHost } from './probe-host.ts'
export { processIsAlive, processStartTime } from './process-alive.ts'
export { runSandbox, type SandboxOptions, type SandboxResult } from './run-sandbox.ts'
export { runTool, type ToolResult, type ToolRun } from './run-tool.ts'
export { prepareSandboxes } from './sandbox-keeper.ts'
export { type MountPoint, sandboxMountPoints } from './sandbox-mounts.ts'
export type {
  BindMount,
  OverlayMount,
  ResourceLimit,
  SandboxMount,
  SandboxRoot,
  SandboxSpec,
  TmpfsMount,
} from './sandbox-spec.ts'
export { parseSignal } from './signal-names.ts'
export { type StartedAgent, startAgent } from './start-agent.ts'
export { syncFileSystem } from './sync-file-system.ts'
export {
  type EnterOptions,
  enterUserNamespace,
  findUserMapping,
  type UserMapping,
  userNamespaceMarker,
} from './user-namespace.ts'
export { usualUmask } from './usual-umask.ts'
export { workerScript } from './worker-script.ts'
export { getXattr, getXattrs, listXattrs, removeXattr, setXattr } from './xattrs.ts'
