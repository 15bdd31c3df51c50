/* The words of consent. The English ones are those that operators in North America have agreed on (CTIA) and
 * that 47 CFR 64.1200(a)(10) names; those of the others are what networks and senders there use. A word that
 * means something else in another of these languages is left out ("fine", "red"), whatever it means in its
 * own: a person reads what is not certain.
 *
 * Our answers keep to the default alphabet of SMS (TS 23.038), so that they are one segment: letters that it
 * lacks are written as people write them in SMS.
 */
#include "engine/consent_words.h"

#include <stddef.h>

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *const none[] = {NULL};

const struct consent_language consent_languages[CONSENT_LANGUAGES] = {
    {.code = "en",
     .stop = LIST("stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout",
                  "opt out", "opt-out", "remove"),
     .start = LIST("start", "unstop", "subscribe", "optin", "opt in", "opt-in"),
     .help = LIST("help", "info"),
     .again = LIST("yes"),
     .fillers = LIST("please", "pls", "plz", "now", "it", "this", "that", "all", "me", "you", "thanks",
                     "thank", "texting", "texts", "text", "messages", "message", "sms", "sending",
                     "messaging", "the", "these", "your", "from", "to", "my", "number", "phone", "ok", "okay",
                     "just", "already", "immediately", "bothering", "spamming", "spam", "contacting"),
     .phrases =
         LIST("no more texts", "no more messages", "no more sms", "no more text messages", "no more spam",
              "opt me out", "opting out", "want to opt out", "take me off", "remove me", "remove my number",
              "delete my number", "unsubscribe me", "want to unsubscribe", "don't text me", "don’t text me",
              "dont text me", "do not text me", "don't message me", "don’t message me", "dont message me",
              "do not message me", "don't contact me", "don’t contact me", "dont contact me",
              "do not contact me", "stop texting", "stop messaging", "stop sending", "stop contacting",
              "stop these", "stop this", "please stop", "leave me alone", "quit texting", "end texts",
              "cancel texts", "cancel messages", "wrong number", "not interested", "revoke my consent",
              "revoke consent", "withdraw my consent", "lose my number"),
     .stop_reply = "{{gateway.name|This number}}: you are unsubscribed and will receive no more messages "
                   "from us. Reply START to resubscribe.",
     .start_reply = "{{gateway.name|This number}}: you are subscribed to our messages. Reply HELP for help, "
                    "STOP to unsubscribe.",
     .help_reply = "{{gateway.name|This number}}: customer service by SMS. Reply STOP to receive no more "
                   "messages, START to receive them again. Msg&data rates may apply."},
    {.code = "de",
     .stop = LIST("stopp", "stoppen", "abmelden", "austragen", "ende", "beenden"),
     .start = none,
     .help = LIST("hilfe"),
     .again = LIST("ja"),
     .fillers = LIST("bitte", "jetzt", "sofort", "danke", "alle", "alles", "mich", "die", "das", "der", "von",
                     "sms", "nachrichten", "nachricht", "endlich", "mal", "damit", "ihr", "eure", "ihre"),
     .phrases =
         LIST("keine sms mehr", "keine nachrichten mehr", "keine werbung mehr", "keine werbung",
              "keine weiteren nachrichten", "keine weiteren sms", "nicht mehr schreiben",
              "nicht mehr anschreiben", "schreiben sie mir nicht", "schreibt mir nicht", "melden sie mich ab",
              "meldet mich ab", "melde mich ab", "möchte mich abmelden", "will mich abmelden",
              "lassen sie mich in ruhe", "lasst mich in ruhe", "lass mich in ruhe",
              "löschen sie meine nummer", "meine nummer löschen", "falsche nummer", "kein interesse"),
     .stop_reply = "{{gateway.name|Diese Nummer}}: Sie sind abgemeldet und erhalten keine Nachrichten mehr "
                   "von uns. Mit START melden Sie sich wieder an.",
     .start_reply = "{{gateway.name|Diese Nummer}}: Sie sind angemeldet. Antworten Sie HILFE für Hilfe, STOP "
                    "zum Abmelden.",
     .help_reply = "{{gateway.name|Diese Nummer}}: Kundendienst per SMS. STOP beendet alle Nachrichten, "
                   "START erlaubt sie wieder. Es gelten die Preise Ihres Anbieters."},
    {.code = "fr",
     .stop = LIST("arret", "arrêt", "arreter", "arrêter", "arretez", "arrêtez", "desabonner", "désabonner",
                  "desabonnement", "désabonnement", "desinscription", "désinscription", "annuler", "fin"),
     .start = none,
     .help = LIST("aide"),
     .again = LIST("oui"),
     .fillers =
         LIST("svp", "stp", "s'il", "s’il", "vous", "te", "plait", "plaît", "merci", "les", "des", "de",
              "vos", "tes", "ces", "sms", "messages", "message", "tout", "maintenant", "envoyer"),
     .phrases = LIST("plus de sms", "plus de messages", "plus de message", "plus de pub", "ne m'envoyez plus",
                     "ne m’envoyez plus", "ne plus recevoir", "plus recevoir", "désabonnez moi",
                     "désabonnez-moi", "desabonnez-moi", "desabonnez moi", "me désabonner", "me desabonner",
                     "me désinscrire", "retirez moi", "retirez-moi", "supprimez mon numéro",
                     "supprimez mon numero", "laissez moi tranquille", "laissez-moi tranquille",
                     "mauvais numéro", "mauvais numero", "pas intéressé", "pas interesse"),
     .stop_reply = "{{gateway.name|Ce service}}: désinscription enregistrée, vous ne recevrez plus de "
                   "messages. Répondez START pour en recevoir à nouveau.",
     .start_reply = "{{gateway.name|Ce service}}: inscription enregistrée. Répondez AIDE pour de l'aide, "
                    "STOP pour ne plus recevoir de messages.",
     .help_reply = "{{gateway.name|Ce service}}: service client par SMS. STOP pour ne plus rien recevoir, "
                   "START pour recevoir à nouveau. SMS au prix de votre opérateur."},
    {.code = "es",
     .stop = LIST("baja", "parar", "alto", "cancelar", "cancela", "detener", "darme de baja", "dar de baja"),
     .start = none,
     .help = LIST("ayuda"),
     .again = LIST("si", "sí"),
     .fillers = LIST("por", "favor", "porfavor", "ya", "gracias", "los", "las", "sms", "mensajes", "mensaje",
                     "de", "todo", "todos", "ahora", "sus"),
     .phrases = LIST("no más mensajes", "no mas mensajes", "no más sms", "no mas sms", "no quiero más",
                     "no quiero mas", "no quiero recibir", "no me envíen", "no me envien", "no me manden",
                     "no me escriban", "dejen de enviar", "dejen de mandar", "dejen de escribir",
                     "denme de baja", "dar de baja", "borren mi número", "borren mi numero", "déjenme en paz",
                     "dejenme en paz", "número equivocado", "numero equivocado", "no me interesa"),
     .stop_reply = "{{gateway.name|Este servicio}}: baja confirmada, ya no le enviaremos mensajes. Responda "
                   "START para volver a recibirlos.",
     .start_reply =
         "{{gateway.name|Este servicio}}: alta confirmada. Responda AYUDA para obtener ayuda, STOP "
         "para darse de baja.",
     .help_reply = "{{gateway.name|Este servicio}}: servicio al cliente por SMS. STOP para no recibir "
                   "mensajes, START para volver a recibirlos. Precio de un SMS."},
    {.code = "it",
     .stop = LIST("annulla", "annullare", "cancella", "cancellami", "cancellare", "disiscrivi",
                  "disiscrivimi", "ferma", "fermare"),
     .start = none,
     .help = LIST("aiuto"),
     .again = LIST("sì", "si'"),
     .fillers = LIST("per", "favore", "perfavore", "grazie", "ora", "subito", "gli", "i", "sms", "messaggi",
                     "messaggio", "tutto", "tutti", "adesso", "di", "questi"),
     .phrases = LIST("basta messaggi", "basta sms", "niente più messaggi", "niente piu messaggi",
                     "nessun altro messaggio", "non voglio più", "non voglio piu", "non voglio ricevere",
                     "non scrivetemi", "non mandatemi", "non inviatemi", "smettete di", "smettetela",
                     "cancellate il mio numero", "toglietemi", "lasciatemi in pace", "numero sbagliato",
                     "non mi interessa", "non sono interessato"),
     .stop_reply = "{{gateway.name|Questo servizio}}: iscrizione annullata, non riceverà altri messaggi. "
                   "Risponda START per riceverli di nuovo.",
     .start_reply = "{{gateway.name|Questo servizio}}: iscrizione confermata. Risponda AIUTO per assistenza, "
                    "STOP per non ricevere altri messaggi.",
     .help_reply = "{{gateway.name|Questo servizio}}: servizio clienti via SMS. STOP per non ricevere altro, "
                   "START per ricevere di nuovo. Costo di un SMS."},
    {.code = "nl",
     .stop = LIST("afmelden", "uitschrijven", "stoppen", "einde"),
     .start = none,
     .help = LIST("hulp"),
     .again = LIST("ja"),
     .fillers = LIST("aub", "alstublieft", "alsjeblieft", "nu", "graag", "dank", "bedankt", "met", "de",
                     "het", "deze", "sms", "sms'en", "berichten", "bericht", "alles", "allemaal", "sturen"),
     .phrases = LIST("geen berichten meer", "geen sms meer", "geen sms'jes meer", "geen reclame meer",
                     "niet meer sturen", "niet meer smsen", "niet meer appen", "meld mij af", "meld me af",
                     "wil me afmelden", "wil mij afmelden", "schrijf me uit", "schrijf mij uit",
                     "verwijder mijn nummer", "laat me met rust", "laat mij met rust", "verkeerd nummer",
                     "geen interesse"),
     .stop_reply = "{{gateway.name|Dit nummer}}: u bent afgemeld en ontvangt geen berichten meer van ons. "
                   "Antwoord START om u weer aan te melden.",
     .start_reply = "{{gateway.name|Dit nummer}}: u bent aangemeld. Antwoord HULP voor hulp, STOP om u af te "
                    "melden.",
     .help_reply = "{{gateway.name|Dit nummer}}: klantenservice per sms. STOP om niets meer te ontvangen, "
                   "START om weer te ontvangen. Sms-kosten van uw aanbieder."},
    {.code = "pt",
     .stop = LIST("parar", "pare", "sair", "cancelar", "cancela", "remover", "descadastrar"),
     .start = none,
     .help = LIST("ajuda"),
     .again = LIST("sim"),
     .fillers = LIST("por", "favor", "agora", "já", "obrigado", "obrigada", "os", "as", "sms", "mensagens",
                     "mensagem", "de", "tudo", "todas", "enviar", "suas"),
     .phrases = LIST("não quero mais", "nao quero mais", "não quero receber", "nao quero receber",
                     "sem mais mensagens", "chega de mensagens", "pare de", "parem de", "não me envie",
                     "nao me envie", "não me enviem", "nao me enviem", "não me mande", "nao me mande",
                     "remova meu número", "remova meu numero", "removam o meu número", "me tire da lista",
                     "me deixe em paz", "deixem-me em paz", "número errado", "numero errado",
                     "não tenho interesse", "nao tenho interesse"),
     .stop_reply =
         "{{gateway.name|Este contacto}}: cancelamento registado, deixamos de lhe enviar mensagens. "
         "Responda START para voltar a receber.",
     .start_reply = "{{gateway.name|Este contacto}}: registo confirmado. Responda AJUDA para obter ajuda, "
                    "STOP para cancelar.",
     .help_reply = "{{gateway.name|Este contacto}}: apoio ao cliente por SMS. STOP para cancelar, START para "
                   "voltar a receber mensagens. Custo de um SMS."},
    {.code = "tr",
     .stop = LIST("ret", "dur", "durdur", "iptal", "İptal", "ıptal", "çık", "cik", "abonelikten çık",
                  "abonelikten cik"),
     .start = LIST("başla", "basla"),
     .help = LIST("yardım", "yardim"),
     .again = LIST("evet", "onay"),
     .fillers = LIST("lütfen", "lutfen", "artık", "artik", "hemen", "teşekkürler", "tesekkurler", "mesaj",
                     "mesajları", "mesajlari", "sms", "et", "edin", "bu"),
     .phrases = LIST("mesaj atmayın", "mesaj atmayin", "mesaj atma", "mesaj göndermeyin", "mesaj gondermeyin",
                     "mesaj gönderme", "mesaj gonderme", "sms göndermeyin", "sms gondermeyin",
                     "mesaj istemiyorum", "sms istemiyorum", "almak istemiyorum", "beni çıkarın",
                     "beni cikarin", "numaramı silin", "numarami silin", "beni rahat bırakın",
                     "beni rahat birakin", "yanlış numara", "yanlis numara", "ilgilenmiyorum"),
     .stop_reply = "{{gateway.name|Bu numara}}: kaydiniz silindi, size artik mesaj gönderilmeyecek. Yeniden "
                   "almak icin START yazin.",
     .start_reply = "{{gateway.name|Bu numara}}: kaydiniz yapildi. Yardim icin YARDIM, mesaj almamak icin "
                    "STOP yazin.",
     .help_reply = "{{gateway.name|Bu numara}}: SMS ile müsteri hizmeti. Mesaj almamak icin STOP, yeniden "
                   "almak icin START yazin. SMS ücreti operatörünüze aittir."},
    {.code = "pl",
     .stop = LIST("rezygnacja", "rezygnuję", "rezygnuje", "wypisz", "koniec", "anuluj", "wyłącz", "wylacz"),
     .start = none,
     .help = LIST("pomoc"),
     .again = LIST("tak"),
     .fillers = LIST("proszę", "prosze", "teraz", "już", "juz", "dziękuję", "dziekuje", "mnie", "sms", "smsy",
                     "smsów", "smsow", "wiadomości", "wiadomosci", "wszystko", "te", "z"),
     .phrases = LIST("proszę nie pisać", "prosze nie pisac", "proszę nie wysyłać", "prosze nie wysylac",
                     "nie chcę więcej", "nie chce wiecej", "nie chcę otrzymywać", "nie chce otrzymywac",
                     "nie wysyłajcie", "nie wysylajcie", "nie piszcie", "wypiszcie mnie", "wypisz mnie",
                     "proszę mnie wypisać", "prosze mnie wypisac", "usuńcie mój numer", "usuncie moj numer",
                     "dajcie mi spokój", "dajcie mi spokoj", "zły numer", "zly numer", "pomyłka",
                     "nie jestem zainteresowany", "nie jestem zainteresowana"),
     .stop_reply = "{{gateway.name|Ten numer}}: rezygnacja przyjeta, nie bedziemy wysylac wiecej wiadomosci. "
                   "Aby otrzymywac je ponownie, odpowiedz START.",
     .start_reply = "{{gateway.name|Ten numer}}: zapis potwierdzony. Odpowiedz POMOC, aby uzyskac pomoc, "
                    "STOP, aby zrezygnowac.",
     .help_reply = "{{gateway.name|Ten numer}}: obsluga klienta przez SMS. STOP: koniec wiadomosci, START: "
                   "ponowne otrzymywanie. Oplata za SMS wedlug operatora."},
};

const char *const consent_near_words[] = {
    /* slips, and words that as often mean something else */
    "stpo", "sotp", "tsop", "st0p", "s.t.o.p", "s t o p", "stopstop", "stopp it", "unsubcribe", "unsuscribe",
    "unscribe", "unsubscibe", "unsubsribe", "un-subscribe", "kündigen", "widerruf", "widerrufen",
    "abbestellen", "abmeldung", "opzeggen",
    /* Cyrillic */
    "стоп", "отписаться", "отписка", "отпишите", "отмена", "хватит", "прекратите", "відписатися", "відписка",
    "скасувати", "спри", "отказ",
    /* Greek */
    "στοπ", "σταμάτα", "σταματα", "σταματήστε", "διαγραφή", "διαγραφη", "ακύρωση", "ακυρωση",
    /* Hebrew */
    "הסר", "הסירו", "עצור", "הפסק", "הפסיקו", "להסרה",
    /* Arabic, also as written for Persian and Urdu */
    "إيقاف", "ايقاف", "توقف", "أوقف", "اوقف", "إلغاء", "الغاء", "قف", "لغو", "بند", "روکیں",
    /* Devanagari, Bengali, Tamil, Thai */
    "रोकें", "रोको", "बंद", "बंद करो", "स्टॉप", "বন্ধ", "স্টপ", "நிறுத்து", "หยุด", "ยกเลิก",
    /* Chinese, Japanese, Korean */
    "停止", "退订", "退訂", "取消", "取消订阅", "取消訂閱", "停", "ストップ", "解除", "配信停止", "中止",
    "중지", "정지", "수신거부", "그만", "스톱", "취소",
    /* Armenian, Georgian, fullwidth Latin */
    "ստոպ", "სტოპ", "ＳＴＯＰ", NULL};

const char *const consent_near_fillers[] = {
    "пожалуйста", "спасибо",  "все",     "всё",      "сообщения", "смс",       "мне",       "будь",
    "ласка",      "дякую",    "моля",    "παρακαλώ", "παρακαλω",  "ευχαριστώ", "ευχαριστω", "τα",
    "μηνύματα",   "μηνυματα", "בבקשה",   "תודה",     "את",        "זה",        "من",        "فضلك",
    "شكرا",       "لطفا",     "الرسائل", "कृपया",     "請",        "请",        "谢谢",      NULL};
