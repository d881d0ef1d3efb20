import { z } from "zod";

/** `POST /storage`: what `addfile` takes as `fileId`. */
export const UploadedFileSchema = z.object({ file: z.string().min(1) });
export type UploadedFile = z.infer<typeof UploadedFileSchema>;
