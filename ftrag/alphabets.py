"""The letters by which an encoding is told: of each language the frequent ones first, as in messages of programs.

The commoner languages, and of a language the commoner encodings, stand first: some texts fit several.
"""

LANGUAGES = (  # encodings, letters
    ("cp1252", "entirsalgdhucofbmükpzwväöyxßjq"),  # German
    ("cp1252", "erintasoludécpmfghvbqxàèyêjôzkwîçâûïùëœæÿ"),  # French
    ("cp1252", "eaonirldcstupmóbvfágíhxúqyzjñékwºüª"),  # Spanish
    ("cp1252", "oeairsdntclmpãuçvfghbíáéxzóõqúêjkwyâàºôüª"),  # Portuguese
    ("cp1252", "ieoantlrspcudmgèvbfzhàùyqkòéxwjìíóúîºª"),  # Italian
    ("cp1252", "entraisldogkäfmvöpuåbhcyjxwqzé"),  # Swedish
    ("cp1252", "tieansäolkurmyvpdhjöbcgfxwzqéå"),  # Finnish
    ("cp1252", "erntilskdagofmpuvæøbåhjycéxwqózòô"),  # Danish
    ("cp1252", "ertniklasogdpfmuvåøbyjhcæxwzéqòóô"),  # Norwegian
    ("cp1252", "enairtodslghvmukcpbwjzfyxëéïóöüèê"),  # Dutch
    ("cp1252", "eairsnltodcupmfgbóvàhéxíqèçòúzjyïkwü"),  # Catalan
    ("cp1252", "ainrsetlkðmgudfávípbyohójýæþúöéxcwzq"),  # Icelandic
    ("cp1250 iso8859_2", "oenatsprvliuíkdázmcbyhřjčéýžěšfgůxwúóňťqď"),  # Czech
    ("cp1250 iso8859_2", "oaenirtsvpkludmzábcyjhčíýťúéžľšfgxňóäôwĺďqŕ"),  # Slovak
    ("cp1250 iso8859_2", "aioenwzrtsycpkdulmłjbgżęąćśóhfńźxvq"),  # Polish
    ("cp1250 iso8859_2", "eatlsnrákzoimégvhbydfjípócuöőüúűxwq"),  # Hungarian
    ("cp1250 iso8859_2", "aeinortjkupsmvldzčgšcbćžđfhxywq"),  # Croatian
    ("cp1250 iso8859_2", "aeionrtvklspčjdmzšugbžchfwxyqćđ"),  # Slovene
    ("cp1250 iso8859_2", "eiartnuclsoădpmfţşgvbîzhxâjwkyq"),  # Romanian
    ("cp1254", "aeilrnısmdtkyoubşçügzğcpöhvfxwjqâîû"),  # Turkish
    ("cp1257 iso8859_13", "iasternokulmpdšvygėųjbįąžfcčūhzęwxq"),  # Lithuanian
    ("cp1257 iso8859_13", "aitsernukoālmpdvēīzjgbšcfļūņķhžģxywčq"),  # Latvian
    ("cp1257 iso8859_13", "iaetslunrmdokväõpgüjbhföcxwyžšzq"),  # Estonian
    ("cp1251 koi8_r iso8859_5", "еоанитсрлвкпдмуязьыбйчгжхшюцщэфёъ"),  # Russian
    ("cp1251 koi8_u iso8859_5", "оаніевитрслкпдумязйьбчгхжцєїфшющґ"),  # Ukrainian
    ("cp1251 iso8859_5", "аеиотнрсвлдпзкмъябучгйжфцшхщюь"),  # Bulgarian
    ("cp1251 iso8859_5", "аеионртсукпдвмзјлгбчњшцљжћхфђџ"),  # Serbian
    ("cp1253 iso8859_7", "αοετνισρηκμπςυλίγδάέόήωχθύφβώξζψϊϋΐΰ"),  # Greek
    ("cp1255", "יותהלמרנאשבקפדסעםחגכטןצזץךף"),  # Hebrew
    ("cp1256 iso8859_6", "اليمترةونعدفبسحكقجأصهطخإشىذغز،ضثءئظؤآًٌّ؟؛"),  # Arabic
    ("cp1256", "ایردنهومتبسلکشزفگعخقجآپحطصغض،ذثظچژئءؤ"),  # Persian
    ("cp874", "านร่อเก้งมัียลวดิทส์ตะปบคหแจื็พชขใุไูำโถผซธณฐษญฟศฝภึฉ"),  # Thai
    (  # Japanese
        "cp932 euc_jp utf_16_le utf_16_be",
        "、ー。ンのスにルるトたリとイはアしラいッをクでドてシがレなジれタかフらロさカっテりマすあもこまうくよ"
        "きんめおけそつだやえどわちみせじばへびずろほげむべひょゆぶごゃねふぐぎぼゅづざぞぬ日定一用人数年使大"
        "名十行二不本効中要長表出指三失時無列見設月示分文後敗前力生変五合間上成東字四値今作金九書入正学高必円"
        "更子込外内八取六対下語来有気除小動七山話置女可北実午新百読関先在再川存千水明半認男",
    ),
    (  # Korean
        "cp949 utf_16_le utf_16_be",
        "이다에니의지는수로습하을가없고를서한은기시으스년자대음사일정리용도인할파합트어않오위있터션드아함제문"
        "그만프패데상치보실해작값부된표입름되형버중크소전모키옵바업여못요식블력들설구행잘경테야적디열성원나메"
        "료세레호브명류변비했필과면미개동라거조목환록너장출복무체내연읽화유현타렉었단안재계",
    ),
    (  # Chinese
        "gb18030 utf_16_le utf_16_be",
        "，的。一、用是不件了文在有无人我他：这数个法们中为来上大时和国字地出到使以定说行名要符就能（会）可标"
        "也你表对生置式而子选那于得目作着错下自器之项年据过入发存后效输里包道已将所或然录家指种事设成分方未多"
        "列经本么程去误示学新如类都值同现当没动面起看天还进好小部其些主样理心她前开但因只从想实",
    ),
    (  # Chinese, as written in Taiwan and Hong Kong
        "big5hkscs utf_16_le utf_16_be",
        "，的。一、用「是」不檔了：在無有人我法他案這定個們中使來式上大為時和國地到以字說設目要入就出取會選可"
        "也數你件對生名能元而位子指那項得示於錯著標下行自列之輸年過發作後誤資里已新道存所未然家效種事本成將方"
        "或多語經程麼提去動號學除如組都稱同引現分當沒面起看天還進好小部其些主樣理心她前開但因只從想實",
    ),
)
