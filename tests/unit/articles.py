"""Articles written for tests: two events, each told more than once."""

DAM_TITLE = "Dam at Vellmark gives way after week of rain, 4,000 flee"
DAM = """The Orsk dam above the town of Vellmark gave way early on Tuesday after seven days of rain, sending a
wall of water through the lower districts and forcing about 4,000 people from their homes. Mayor Ilse
Tarnow said that eleven people were missing and that the army had been asked for boats. The dam, built
in 1931, had been inspected in March, when engineers found cracks in its eastern wall and asked for
repairs that were never paid for. "We were told that it would hold for another ten years," Tarnow told
reporters at a school that serves as a shelter. Rail traffic between Vellmark and the capital was
stopped, and the power company said that 9,000 households were without electricity. The ministry of
waterways promised an inquiry. Forecasters expect the rain to end on Thursday, but warned that a second
dam further up, at Grauhof, was filling faster than it could be drained, and that two villages below it
should be ready to leave."""

DAM_REWRITE_TITLE = "4,000 evacuated as dam bursts above Vellmark"
DAM_REWRITE = """The Orsk dam above the town of Vellmark collapsed early on Tuesday after seven days of rain, sending a
wall of water through the lower districts and driving about 4,000 people from their houses. Eleven
people were missing and the army had been asked for boats, mayor Ilse Tarnow said. The dam, built in
1931, had been checked in March, when experts found cracks in its eastern wall and asked for repairs
that were never paid for. "We were told that it would hold for another ten years," Tarnow told
journalists at a school that serves as a shelter. Rail traffic between Vellmark and the capital was
halted, and the power company said 9,000 households were without electricity. An inquiry was promised by
the ministry of waterways. Forecasters expect the rain to stop on Thursday, but warned that a second dam
further up, at Grauhof, was filling faster than it could be drained, and two villages below it should be
ready to go."""

DAM_REPORT_TITLE = "Army boats search flooded Vellmark for eleven missing"
DAM_REPORT = """Soldiers in inflatable boats went from roof to roof in Vellmark on Tuesday, hours after the Orsk dam
broke and the river took the old market, two bridges and the tannery quarter with it. Residents
described a noise like a train. "I grabbed the cat and my papers and ran uphill," said Petra Lindqvist,
63, whose street no longer exists. Eleven people were unaccounted for by evening, mayor Ilse Tarnow
said. Questions turned to money: a report from March, seen by this paper, warned of cracks in the
eastern wall and put the repairs at nine million crowns. The ministry of waterways did not answer. Some
4,000 evacuees were spending the night in schools and in the ice rink, where volunteers handed out soup."""

CUP_TITLE = "Brenholm win cup final on penalties"
CUP = """Brenholm won the national football cup for the first time in 41 years on Saturday, beating the champions
Skarvik 5-4 on penalties after a goalless final in front of 38,000 spectators. Goalkeeper Aron Mikkelsen
saved two shots and then scored the last one himself. "I have practised that kick in my garden since I
was six," he said. Skarvik had more of the game and hit the post twice through striker Jonas Weide, who
limped off in extra time. Brenholm, who finished eleventh in the league, will play in Europe next
season. Thousands of fans sang in the streets of the harbour town until morning, and the mayor declared
Monday a holiday for schools."""
