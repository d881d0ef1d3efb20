import { optionText } from "../../shared/cli/option-table.js";
import { MPI_BINDINGS, type MpiBinding } from "../../shared/collective-choice.js";
import { hasMpi, type LaunchedPlace } from "../../shared/launch/launched-place.js";
import { meetingPlace } from "../../shared/launch/meeting-place.js";
import { MpiMeeting } from "./mpi-meeting.js";
import type { RankMeeting } from "./rank-meeting.js";
import { SocketMeeting } from "./socket-meeting.js";

/** As `--join-timeout` has it by default. */
const REACH_S = 60;

export interface RankSurroundings {
  /** Of `ringstrasse train`; rank 0's coordinator says what is wrong with them. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Tells the user something, in one line. */
  readonly announce: (line: string) => void;
}

/**
 * How this rank finds the others: by MPI where its launcher is MPI's, else through rank 0.
 * @throws RingstrasseError USAGE, COLLECTIVE_UNAVAILABLE, ENDPOINT_UNAVAILABLE
 */
export async function openMeeting(
  place: LaunchedPlace,
  { args, environment, announce }: RankSurroundings,
): Promise<RankMeeting> {
  const option = (name: string) => optionText(name, args, environment);
  const interfaceName = option("interface");
  if (hasMpi(place.launcher)) {
    const wish = {
      binding: bindingOf(option("mpi-binding")),
      library: option("mpi-library"),
      compiler: option("mpi-compiler"),
    };
    return await MpiMeeting.open(place, { wish, environment, announce, interfaceName });
  }
  const seconds = Number(option("join-timeout") ?? REACH_S);
  return await SocketMeeting.open({
    place,
    at: meetingPlace(place, environment),
    secret: option("token"),
    interfaceName,
    reachMs: 1000 * (seconds > 0 ? seconds : REACH_S),
  });
}

/** Another word is for rank 0's coordinator to refuse. */
function bindingOf(text: string | null): MpiBinding {
  return MPI_BINDINGS.find((binding) => binding === text) ?? "auto";
}
