"""Described capabilities with their types: what the sentence embeddings of the capability classifier compare with."""

from __future__ import annotations

RETRIEVAL = """
answers must quote the paragraph they rest on
cite the source document for every statement
link each answer to the manual page it came from
look up the current price before answering
prices move every day and the answer has to follow
stock levels change by the hour
answer from the latest version of the documentation
find the relevant passage in thousands of files
tell customers today's opening hours
report the current status of an order
use the newest regulation, which is amended every few months
search the knowledge base for known faults
answer questions about this week's menu
name the case and the page that supports the argument
check availability of rooms for a date
show which policy document a rule comes from
give the exact figure from the annual report
pull the customer's contract and answer from it
new products are added weekly and must be known at once
an auditor must be able to trace every answer
what does the collective agreement say about overtime
find similar past incidents in the archive
answer questions about a specific uploaded document
retrieve the patient's latest laboratory values
state the torque from the service bulletin in force
know about announcements made this morning
look up part numbers in the catalogue
answer from our wiki, which people edit all the time
quote the clause word for word
tell the driver which roads are closed right now
provide up-to-date exchange rates
give the dosage from the current formulary
look up which forms an applicant needs this year
list the ingredients and allergens of a dish on the menu
answer staff questions about leave and benefits from the handbook
explain which grants are open at the moment and their deadlines
check a claim against the research papers we hold
identify which version of the standard applies
give the departure time of the next train
answer tenants' questions about their own lease
point to the minutes of the meeting where it was decided
tell users which features the latest release has
know the warranty terms of each model we sell
read the sensor log and say what happened last night
return facts about our products that we have not published elsewhere
verify every number against the ledger
answers need evidence that a reader can check
match a question to the right article in the help centre
the tax rates are revised each year and must be right
tell the caller how many seats are left
information that did not exist when the model was trained
look up the member's balance and recent payments
find precedents for a dispute
answer questions about spare parts from the supplier's data sheets
current weather and tide tables for the harbour
the agent has to know which flights are cancelled this afternoon
give growers the spray intervals that the authority has approved for this season
every figure in the summary carries a footnote to the filing
tell a member which classes still have places
lawyers need the exact wording of the clause, with its number
fares are adjusted several times a day
look in the service history of the boiler before suggesting a repair
name the recipe card that an answer comes from
what is covered depends on the customer's own policy
recall notices appear without warning and must be reflected the same day
guests ask which wines are in the cellar tonight
answers should come with a link to the statute
find the drawing that belongs to a part
the programme changes until the evening before
report who is on duty tonight
compare with the measurements taken at the last inspection
say which chapter of the operating manual explains the error code
give the fee from the published schedule of charges
show where in the recording something was said
check the register before confirming that a name is free
know the interest rates that apply from this month on
list suppliers that can deliver a material now
base each recommendation on the guideline and name it
answer from hundreds of scanned letters
the range of goods turns over every season
tell callers what their claim is waiting for
"""

FINETUNING = """
always sound like our brand
write in a warm and informal tone
produce valid JSON that follows our schema every time
emit a fixed machine-readable format with no other text
follow the house style for headlines
keep every reply under forty words
classify each message into one of our twelve categories
use the trade's abbreviations the way our staff do
write notes in the structure our clinicians use
always greet, then answer, then offer help, in this order
refuse politely in our usual wording
rewrite drafts in plain language at a set reading level
turn free text into standardised codes
speak like an experienced colleague, never like a manual
label defects according to our own severity scale
follow the escalation protocol step by step
translate in the register that our customers expect
write product descriptions in the same voice as our copywriters
convert dictation into the report layout of the department
generate code that follows our naming conventions
imitate the author's style
stay in character as the museum's guide
consistent formatting across all letters
score essays the way our examiners do
sort incoming mail by urgency as an experienced clerk would
extract fields into a table with fixed columns
never use exclamation marks or slang
summaries always have three bullet points and a verdict
respond in the dialect of our region
reason through a case as our underwriters do
write commit messages in our convention
draft emails that sound like the managing director
decide between approve, refer and decline by our rules of thumb
use domain terms as grammar, such as clause types
tag sentences with the labels of our scheme
be brief, dry and precise in every answer
ask one question at a time before giving advice
the reply must be calm and reassuring with worried people
output must be valid XML for the downstream system
write limericks in the style of our radio host
detect sarcasm and insults in comments
grade the tone of calls from one to five
keep the same personality throughout a conversation
write alt texts in our editorial style
condense long reports into a single sentence of a set pattern
handle objections the way our best salespeople do
correct grammar and spelling in our minority language
phrase bad news tactfully
give feedback to pupils encouragingly and never with marks
fill in the standard form in the same manner each time
produce SQL in our dialect and style
answer with a single word from a closed list
use inclusive language according to our guide
write poems with a strict metre
turn meeting talk into action items in a fixed layout
every reply opens with the guest's name and closes with our motto
sort findings into minor, major and critical as an inspector would
messages go to the customs system and must parse without errors
turn radio chatter into the standard log entries
the assistant should have the dry humour of our presenter
use the phrases that our nurses use with children
two sentences, no pleasantries
the answer has to be a single code from our list
letters must read as if our head of office had written them
describe wines the way our sommelier talks
map free-text complaints to our fault codes
follow the fixed order of questions in every interview
write the abstract in the journal's structured form
mark each paragraph as argument, evidence or opinion
put recipes into our steps-and-timings layout
judge ripeness from a description as our growers do
reply in the same calm manner even when insulted
shorten news to a push message of ninety characters
write obituaries with the dignity our paper is known for
keep to the vocabulary that pilots use on the radio
turn a sketch of an idea into a pitch in our agency's manner
never break off without asking whether anything else is needed
rank applications as an experienced referee would
give hints without revealing the solution, as our tutors do
output only the completed table, nothing before or after it
spell and capitalise names of species by our convention
reject requests outside the scope with the same two sentences
summaries for doctors look different from those for relatives, in fixed patterns
"""

BOTH = """
answer with current prices in our brand voice
quote the clause in force and write the opinion in our formal style
reply to customers about their order status in our friendly tone
summarise today's news in the layout of our bulletin
look up the patient's values and write the letter in our department's structure
explain the latest policy in plain language that sounds like our HR team
cite the regulation and always follow our answer template
recommend products in stock, written like our copywriters
fill the report format with figures from the current ledger
draft replies that cite the handbook and keep our house tone
review code against the current API documentation in our review style
answer tenants from their lease, politely and in our fixed format
describe this week's exhibits in the voice of our guide
give dosage from the current formulary in the ward's shorthand
write offers with today's tariffs in our usual wording
return valid JSON filled with the newest catalogue data
support replies with links to the documentation, in the brand's voice
turn the newest research into summaries with sources in our house style
state the rule in force with its paragraph number, in three short bullet points
answer from the wiki but always sound like a colleague
weekly market reports from fresh data in our analysts' style
apply our triage protocol to the patient's current record
emit standard messages that contain the live stock figures
write complaint answers that quote the contract in our calm tone
today's menu described in the style of our chef
tell passengers about current delays in our reassuring voice
fill in the inspection form in our format with the values of the standard in force
assess claims as our adjusters do, citing the policy wording
daily weather text from live measurements in the station's style
legal memos in the firm's format with cited precedents
answer fare questions from the live timetable in the cheerful voice of our mascot
discharge letters in the ward's layout from the patient's current results
give today's catch and prices in the fishmonger's banter
minutes in our template with references to the documents discussed
write the daily site report in the firm's structure from the latest entries
product texts in our tone with the specifications from the current catalogue
memos in house format that cite the newest rulings
reply to policyholders in plain style, quoting their own contract
convert the latest survey data into coded records of our scheme
explain this month's rates in the bank's careful wording
tell visitors what is on today, always in character
tag each incident with our codes after looking up the asset's history
produce valid messages from the present stock list
answer in our dialect with the opening hours as they are now
grade essays by our scheme and quote the passage of the syllabus that applies
"""

UNCLEAR = """
the assistant should be helpful
make our staff more productive
users can log in with their company account
the system works on mobile phones
it should be fast and reliable
handle customer requests well
improve customer satisfaction
use artificial intelligence in the back office
a modern chatbot for our web site
support our sales team
be easy to use
the tool integrates with our calendar
export the conversation as a file
users can rate an answer
automate repetitive work
provide good answers
help people with their daily work
reduce the workload of the office
work around the clock
answer questions
understand what people want
a smart assistant for everyone
send a notification when it is finished
keep costs low
run on our own servers
make processes more efficient
assist employees in various tasks
talk to users
offer a dashboard for managers
add a dark mode
remember the user's name during a chat
deal with all kinds of enquiries
give insights
make decisions easier
be the first contact for visitors
scale to many users
innovative solutions for our clients
manage accounts and permissions
something with language models
support the planning of projects
make visitors happy
people should like using it
it should look professional
staff can sign in with a badge
open a ticket when a form is submitted
the page loads in under two seconds
the app should be available in a store
supports several users at once
help farmers
be available on weekends
something for our customers
a better experience for guests
collect feedback from users
store the conversations for a year
show a progress bar
voice input and voice output
print the result
make the museum more attractive
should work well
bring our services into the digital age
have a button to call a person
"""


def prototypes() -> list[tuple[str, str]]:
    """(description, type) with type one of retrieval, finetuning, both, unclear."""
    blocks = {"retrieval": RETRIEVAL, "finetuning": FINETUNING, "both": BOTH, "unclear": UNCLEAR}
    return [(line, kind) for kind, block in blocks.items() for line in block.strip().splitlines()]
