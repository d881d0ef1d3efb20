import { describe, expect, it } from "vitest";
import { fileSystemKind, isSharedFileSystem } from "../../../../coordinator/store/file-system-kind.js";

const MOUNTS = [
  "/dev/vda / ext4 rw,relatime 0 0",
  "proc /proc proc rw 0 0",
  "server:/export /home nfs4 rw,vers=4.2 0 0",
  "/dev/vdb /home/local xfs rw 0 0",
  "mds@o2ib:/scratch /scratch lustre rw 0 0",
  "host:/x /mnt/with\\040blank\\134 fuse.sshfs rw 0 0",
  "tmpfs /covered tmpfs rw 0 0",
  "//server/share /covered cifs rw 0 0",
  "",
].join("\n");

describe("fileSystemKind", () => {
  it.each([
    ["/", "ext4"],
    ["/data/ringstrasse", "ext4"],
    ["/home", "nfs4"],
    ["/home/anna/data", "nfs4"],
    ["/homestead", "ext4"],
    ["/home/local/data", "xfs"],
    ["/home/localised", "nfs4"],
    ["/scratch/anna", "lustre"],
    ["/mnt/with blank\\/data", "fuse.sshfs"],
    ["/covered/data", "cifs"],
  ])("finds what %s lies on", (path, kind) => {
    expect(fileSystemKind(path, MOUNTS)).toBe(kind);
  });

  it("knows nothing without a list of mounts", () => {
    expect(fileSystemKind("/data", "")).toBe(null);
  });
});

describe("isSharedFileSystem", () => {
  it.each(["nfs", "nfs4", "lustre", "cifs", "smb3", "gpfs", "beegfs", "ceph", "9p", "fuse.sshfs", "fuse.s3fs", "fuse"])(
    "refuses %s",
    (kind) => expect(isSharedFileSystem(kind)).toBe(true),
  );
  it.each(["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuse.fuse-overlayfs", "fuseblk", "apfs"])(
    "takes %s",
    (kind) => expect(isSharedFileSystem(kind)).toBe(false),
  );
});
