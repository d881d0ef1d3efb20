import { optionText } from "../../shared/cli/option-table.js";
import { hasMpi, type LaunchedPlace } from "../../shared/launch/launched-place.js";
import { meetingPlace } from "../../shared/launch/meeting-place.js";
import { MpiMeeting } from "./mpi-meeting.js";
import type { RankMeeting } from "./rank-meeting.js";
import { SocketMeeting } from "./socket-meeting.js";

/** As `--join-timeout` has it by default. */
const REACH_S = 60;

/**
 * How this rank finds the others: by MPI where its launcher is MPI's, else through rank 0.
 * @param args of `ringstrasse train`; rank 0's coordinator says what is wrong with them
 * @throws RingstrasseError USAGE, COLLECTIVE_UNAVAILABLE, ENDPOINT_UNAVAILABLE
 */
export async function openMeeting(
  place: LaunchedPlace,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<RankMeeting> {
  const option = (name: string) => optionText(name, args, environment);
  const interfaceName = option("interface");
  if (hasMpi(place.launcher)) return new MpiMeeting(place, option("mpi-library"), interfaceName);
  const seconds = Number(option("join-timeout") ?? REACH_S);
  return await SocketMeeting.open({
    place,
    at: meetingPlace(place, environment),
    secret: option("token"),
    interfaceName,
    reachMs: 1000 * (seconds > 0 ? seconds : REACH_S),
  });
}
