// The shapes that the services answer with, by their own descriptions. Says nothing new.

import type { components as Insights } from "./openapi/insights";
import type { components as Matching } from "./openapi/matching";
import type { components as Notifications } from "./openapi/notifications";
import type { components as Sessions } from "./openapi/sessions";

type I = Insights["schemas"];
type S = Sessions["schemas"];

export type Overview = I["Overview"];
export type Day = I["DayView"];
export type Recovery = I["RecoveryView"];
export type BoardPage = I["BoardPage"];
export type BoardPair = I["BoardPair"];
export type ForManager = I["ForManager"];
export type ManagerDirection = I["ManagerDirection"];
export type History = I["History"];
export type Timeline = I["Timeline"];
export type Happening = I["Happening"];
export type Programmes = I["Programmes"];
export type Measures = I["ProgrammeMeasures"];
export type Measure = I["ProgrammeMeasure"];
export type SharedPair = I["SharedPair"];
export type SelfTrust = I["SelfTrust"];
export type MemberDirection = I["MemberDirection"];
export type Session = I["Session"];

export type Person = Matching["schemas"]["PersonView"];
export type People = Matching["schemas"]["PeoplePage"];
export type Waiting = Matching["schemas"]["WaitingOut"];
export type MessagesHealth = Notifications["schemas"]["MessagesHealth"];
export type Preferences = Notifications["schemas"]["ChosenOut"];

export type OwnPairs = S["PairsOut"];
export type OwnPair = S["PairOut"];
export type Promise_ = S["CommitmentOut"];
export type Meeting = S["SessionOut"];
export type Agreement = S["AgreementOut"];
export type CalendarState = S["CalendarOut"];
export type CalendarAddress = S["AddressOut"];

export type Band = BoardPair["band"];
export type Side = BoardPair["about"];
export type Facet = "E" | "L" | "H" | "R" | "B" | "P";
export type Benefit = "clarity" | "growth" | "problem_solving" | "network";
export type Role = Session["roles"][number];
