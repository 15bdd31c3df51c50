/* Languages by their common words. See engine/language.h.
 *
 * A word that only one language has counts twice, one that several share once for each. The lists hold what
 * people write to businesses: greetings, thanks, questions, and the small words that no sentence is without.
 */
#include "engine/language.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "engine/words.h"

enum { LANGUAGES = 9, WORDS_MOST = 40, ENOUGH = 2 };

static const struct {
    const char *code, *words;
} languages[LANGUAGES] = {
    {"en", "the and is are am you your yours my me i we our us it this that what when where which who how do "
           "does did can could would will have has had been not don't i'm it's for with from of at on in to "
           "be please thanks thank hello hi hey good morning evening yes want need open close today tomorrow "
           "order price how's there about if or but any a an as so no was were come get got per ten soon "
           "book table u r"},
    {"de",
     "der die das und ist sind bin ich du sie wir ihr es ein eine einen einem einer mein meine mir mich "
     "nicht kein keine ja nein bitte danke dank vielen hallo guten tag morgen abend moin servus wann wo "
     "was wie warum wer kann können könnte haben habe hat hätte möchte will brauche mit für von auf im "
     "am zu zum zur bei noch auch oder aber heute geöffnet offen preis bestellung termin viele grüße "
     "gerne in an so"},
    {"fr",
     "le la les un une des du de et est sont je tu il elle nous vous mon ma mes votre vos ce cette que "
     "qui quoi quand où comment pourquoi ne pas oui non merci bonjour bonsoir salut s'il plaît svp avec "
     "pour dans sur chez au aux êtes suis avez j'ai c'est peux pouvez voudrais aujourd'hui demain "
     "ouvert prix commande rendez-vous très bien à a me"},
    {"es",
     "el la los las un una unos y es son soy estoy está están yo tú usted nosotros mi su que qué quien "
     "quién cuando cuándo dónde donde cómo como por para con sin en de del al no sí gracias hola buenos "
     "buenas días tardes noches favor puedo puede pueden quiero quisiera necesito tengo tiene hoy "
     "mañana abierto precio pedido cita muy bien a me te"},
    {"it", "il lo la i gli le un uno una di del della dei e è sono sei siete io tu lei noi voi mio mia che "
           "chi quando dove come perché non sì no grazie ciao buongiorno buonasera salve per favore con da "
           "in su al vorrei posso può potete ho hai ha avete oggi domani aperto aperti prezzo ordine "
           "appuntamento molto bene prego a me ora"},
    {"nl",
     "de het een en is zijn ben ik jij je u wij we mijn uw dit dat wat wanneer waar hoe waarom wie niet "
     "geen ja nee graag dank bedankt dankjewel hallo hoi goedemorgen goedemiddag goedenavond goedendag "
     "alstublieft alsjeblieft met voor van op in aan bij naar kan kunt kunnen heb heeft hebben wil zou "
     "vandaag morgen open prijs bestelling afspraak groeten"},
    {"pt",
     "o a os as um uma e é são sou estou está estão eu você vocês nós meu minha seu sua que quem quando "
     "onde como porquê por para com sem em no na do da dos das não sim obrigado obrigada olá oi bom boa "
     "dia tarde noite favor posso pode podem quero queria preciso tenho tem hoje amanhã aberto preço "
     "pedido encomenda consulta muito bem de à me te"},
    {"tr", "ve bir bu şu o ben sen siz biz benim sizin için ile de da mi mı mu mü ne nerede nasıl neden kim "
           "kaç var yok evet hayır lütfen teşekkür teşekkürler ederim ederiz merhaba selam günaydın iyi "
           "günler akşamlar istiyorum istiyoruz olur değil çok bugün yarın açık açıksınız mısınız fiyat "
           "sipariş randevu saat"},
    {"pl", "i w na z do nie tak jest są jestem ja ty pan pani my wy mój moja co kto kiedy gdzie jak dlaczego "
           "czy się że to ten ta dla od po proszę dziękuję dzięki dzień dobry cześć witam wieczór mogę może "
           "można chcę chciałbym chciałabym potrzebuję mam ma dziś dzisiaj jutro otwarte cena zamówienie "
           "wizyta bardzo dobrze a"},
};

struct language {
    const struct fold *fold;
    struct words *words; /* owner: index of languages */
};

struct language *language_new(const struct fold *fold)
{
    struct language *l = calloc(1, sizeof *l);

    if (!l)
        abort();
    l->fold = fold;
    l->words = words_new(fold);
    for (int i = 0; i < LANGUAGES; i++) {
        char *list = strdup(languages[i].words), *save = NULL;

        if (!list)
            abort();
        for (char *w = strtok_r(list, " ", &save); w; w = strtok_r(NULL, " ", &save))
            words_add(l->words, w, i, NULL);
        free(list);
    }
    return l;
}

void language_free(struct language *l)
{
    if (!l)
        return;
    words_free(l->words);
    free(l);
}

const char *language_of(const struct language *l, struct span text)
{
    int score[LANGUAGES] = {0}, best = 0, second = 0;

    for (int n = 0; n < WORDS_MOST; n++) {
        struct span word = fold_next_word(l->fold, &text);
        const struct word_use *use;

        if (word.len == 0)
            break;
        use = words_find(l->words, fold_trim(l->fold, word));
        for (int weight = use && use->next ? 1 : 2; use; use = use->next)
            score[use->owner] += weight;
    }
    for (int i = 1; i < LANGUAGES; i++)
        best = score[i] > score[best] ? i : best;
    for (int i = 0; i < LANGUAGES; i++)
        second = i != best && score[i] > second ? score[i] : second;
    return score[best] >= ENOUGH && score[best] > second ? languages[best].code : "";
}

bool language_matches(const char *wish, const char *language)
{
    size_t len = strlen(wish);

    return len > 0 && strncasecmp(wish, language, len) == 0 &&
           (language[len] == '\0' || language[len] == '-');
}
