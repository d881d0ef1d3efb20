/**
 * Kinds of file system, as /proc/mounts calls them, that reach over a network or are shared between machines. Their locks and flushes
 * don't hold what SQLite's log needs: two hosts would write one database.
 */
const SHARED: ReadonlySet<string> = new Set([
  "9p",
  "afs",
  "beegfs",
  "ceph",
  "cifs",
  "coda",
  "davfs",
  "gfs2",
  "glusterfs",
  "gpfs",
  "lustre",
  "ncpfs",
  "nfs",
  "nfs4",
  "ocfs2",
  "orangefs",
  "panfs",
  "prl_fs",
  "pvfs2",
  "smb3",
  "smbfs",
  "vboxsf",
  "wekafs",
]);
/** User-space file systems of local disks; any other (`fuse.sshfs`, `fuse.s3fs`, …) counts as shared. */
const LOCAL_FUSE: ReadonlySet<string> = new Set([
  "fuse.bindfs",
  "fuse.encfs",
  "fuse.exfat",
  "fuse.fuse-overlayfs",
  "fuse.gocryptfs",
  "fuse.mergerfs",
  "fuse.ntfs-3g",
  "fuse.zfs",
]);

/** Pure: whether a database may not lie on a file system of this kind. */
export function isSharedFileSystem(kind: string): boolean {
  if (kind === "fuse" || kind.startsWith("fuse.")) return !LOCAL_FUSE.has(kind);
  return SHARED.has(kind);
}

/**
 * Pure: the kind of file system that an absolute path without links lies on, by the text of /proc/mounts; null when it tells of none.
 * Of several mounts on one point, the last covers the others.
 */
export function fileSystemKind(path: string, mounts: string): string | null {
  let kind: string | null = null;
  let longest = -1;
  for (const line of mounts.split("\n")) {
    const [, escapedPoint, type] = line.split(" ");
    if (escapedPoint === undefined || type === undefined) continue;
    const point = unescapePoint(escapedPoint);
    const below = point === "/" || path === point || path.startsWith(`${point}/`);
    if (!below || point.length < longest) continue;
    longest = point.length;
    kind = type;
  }
  return kind;
}

/** Blanks, tabs, line ends and backslashes are written as three octal digits, byte by byte. */
function unescapePoint(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
